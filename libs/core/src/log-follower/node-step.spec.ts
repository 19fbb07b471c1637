import { describe, expect, it } from '@jest/globals';
import { heldUntil } from '../lease/node-lease.js';
import { emptyState, foldEntries } from '../log/fold.js';
import { restoredLog } from '../log/restored-log.js';
import type { ReadEntry } from '../model/entry.js';
import { MAX_LEVEL } from '../model/feature-level.js';
import { LogWriter } from '../testing/log-writer.js';
import type { ClockReading } from '../lease/elapsed-time.js';
import {
  holdsLease,
  initialNodeLoop,
  leaseRemainingMs,
  type LogMessage,
  type NodeLoop,
  type TailAnswer,
  type TailQuestion,
} from './node-loop.js';
import { stepNode, tailQuestion, type NodeEffect, type NodeInputBody } from './node-step.js';

const self = { nodeId: 'w1', incarnation: 'w1#1' };

/** One node before a queue that the spec writes; each step of time is the spec's. */
class Node {
  loop: NodeLoop = initialNodeLoop(self, emptyState(), { now: 0, wall: 1e12 });
  now = 0;
  /** For how long the monotonic clock was stopped. */
  suspendedMs = 0;
  effects: readonly NodeEffect[] = [];
  queue: LogMessage[];

  constructor(queue: readonly LogMessage[]) {
    this.queue = [...queue];
  }

  /** One that has read and proven all of a queue. */
  static at(queue: readonly LogMessage[]): Node {
    const node = new Node(queue);
    node.pull();
    node.answer(node.ask());
    return node;
  }

  get clock(): ClockReading {
    return { now: this.now, wall: 1e12 + this.now + this.suspendedMs };
  }

  feed(body: NodeInputBody): readonly NodeEffect[] {
    const { state, effects } = stepNode(this.loop, { ...body, ...this.clock });
    this.loop = state;
    this.effects = effects;
    return effects;
  }

  pull(messages: readonly LogMessage[] = this.queue.slice(this.loop.nextOffset)): void {
    this.feed({ kind: 'pulled', messages });
  }

  ask(): TailQuestion {
    return tailQuestion(this.loop, this.clock);
  }

  /** What the queue says now, or said when the answer was made. */
  answer(question: TailQuestion, answer: TailAnswer = this.answerTo(question)): readonly NodeEffect[] {
    return this.feed({ kind: 'answered', question, answer });
  }

  answerTo({ about }: TailQuestion): TailAnswer {
    const bounds = { minOffset: 0, maxOffset: this.queue.length };
    return { bounds, found: about.map(({ offset }) => this.queue[offset]?.digest) };
  }

  get kinds(): readonly string[] {
    return this.effects.map(({ kind }) => kind);
  }

  get seq(): number {
    return this.loop.cluster.head.seq;
  }
}

const renewals = (log: LogWriter, count: number): readonly ReadEntry[] => {
  for (let i = 0; i < count; i += 1) log.write({ kind: 'lease.renewed' });
  return log.reads;
};
/** Another chain from `after` on: its messages stand at the same offsets and have other digests. */
const regrown = (reads: readonly ReadEntry[], after: number, length: number): readonly ReadEntry[] => {
  const log = new LogWriter();
  log.accept(reads.slice(0, after + 1));
  log.claim('c9');
  return renewals(log, length - log.reads.length);
};

const rival = (log: LogWriter, write: (writer: LogWriter) => void): readonly ReadEntry[] => {
  const writer = new LogWriter();
  writer.accept(log.reads.slice(0, 2));
  write(writer);
  // Its claim has an id of its own.
  const own = (text: string): string => text.replace('claim-2', 'rival-2');
  return writer.reads.slice(2).map(({ offset, digest, entry }) => {
    const { claimId, prevDigest } = entry;
    return { offset, digest: own(digest), entry: { ...entry, claimId: own(claimId), prevDigest: own(prevDigest) } };
  });
};
const push = (node: Node, reads: readonly ReadEntry[]): void => {
  for (const read of reads) node.queue.push({ ...read, offset: node.queue.length });
};
const claimOf = (nodeId: string) => (log: LogWriter) => {
  log.claim(nodeId);
};

describe('the loop of a node', () => {
  it('folds nothing of a pull before a question that was sent after it is answered', () => {
    const node = new Node(renewals(LogWriter.started(), 2));
    const early = node.ask();
    node.pull();
    node.answer(early);
    expect(node.seq).toBe(-1);
    node.answer(node.ask());
    expect(node.seq).toBe(3);
    expect(node.kinds).toEqual(['folded', 'head-proven']);
  });

  it('ends before an entry that its build cannot apply, and passes nothing of that pull to its coordinator', () => {
    const log = LogWriter.started();
    log.write({ kind: 'cluster.version', level: MAX_LEVEL + 1 });
    const node = new Node(log.reads);
    node.pull();
    node.answer(node.ask());
    const entry = { offset: 2, kind: 'cluster.version', level: MAX_LEVEL + 1 };
    expect(node.effects).toEqual([{ kind: 'end', end: { kind: 'outdated', entry } }]);
    expect(heldUntil(node.loop.lease)).toBe(-Infinity);
    node.pull([log.next({ kind: 'lease.renewed' })]);
    expect(node.effects).toEqual([]);
  });

  it('drops a pull whose entries the log has lost, and reads again', () => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    const known = log.reads.length;
    node.queue = [...renewals(log, 3)];
    node.pull();
    node.queue = [...regrown(log.reads, known - 1, 6)];
    node.answer(node.ask());
    expect(node.kinds).toEqual(['reopen-reader']);
    expect(node.seq).toBe(known - 1);
    node.pull();
    node.answer(node.ask());
    expect(node.loop.cluster.leader?.nodeId).toBe('c9');
  });

  it('ends where a folded entry was lost, though the pulled ones are in the log', () => {
    const log = LogWriter.started();
    const node = Node.at(renewals(log, 2));
    node.queue = [...regrown(log.reads, 1, 7)];
    node.pull(node.queue.slice(node.loop.nextOffset));
    node.answer(node.ask());
    expect(node.loop.ended).toEqual({ kind: 'rewritten', reason: 'the entry at offset 3 is another one' });
    expect(heldUntil(node.loop.lease)).toBe(-Infinity);
    expect(node.feed({ kind: 'pulled', messages: [] })).toEqual([]);
  });

  it('ends where it has begun with an empty log that is restored then: snapshots are loaded at the start', () => {
    const { state } = LogWriter.started();
    const { head, logId, epoch, claimId } = state;
    const node = Node.at([]);
    node.queue = restoredLog(state, 10_000).map((event, at): ReadEntry => {
      const entry = { logId, epoch, claimId, seq: head.seq + 1 + at, prevDigest: `r${at - 1}`, at: 0, event };
      return { offset: at, digest: `r${at}`, entry };
    });
    node.pull();
    node.answer(node.ask());
    expect(node.effects).toEqual([{ kind: 'end', end: expect.objectContaining({ kind: 'rewritten' }) }]);
  });

  it('takes an answer that shows no message where one must be for none', () => {
    const node = Node.at(LogWriter.started().reads);
    node.now = 500;
    const question = node.ask();
    node.answer(question, { ...node.answerTo(question), found: [undefined] });
    expect(node.effects).toEqual([]);
    expect(node.loop.provenAt).toBe(0);
  });

  it('ends the lease when the reader ends', () => {
    const node = Node.at(LogWriter.started().reads);
    expect(heldUntil(node.loop.lease)).toBe(2_500);
    node.feed({ kind: 'reader.ended', end: { kind: 'failed', error: new Error('no permission') } });
    node.now = 100;
    node.answer(node.ask());
    expect(heldUntil(node.loop.lease)).toBe(-Infinity);
  });
});

describe('a proof of the head', () => {
  it('waits until what the answer reported is folded', () => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    node.queue = [...renewals(log, 2)];
    node.now = 500;
    node.answer(node.ask());
    expect(node.kinds).toEqual([]);
    node.now = 600;
    node.pull();
    const check = node.ask();
    node.queue = [...renewals(log, 1)];
    node.answer(check);
    expect(node.effects).toContainEqual({ kind: 'head-proven', sentAt: 500 });
    expect(heldUntil(node.loop.lease)).toBe(3_000);
  });

  it('is given by an earlier question as of its own time only', () => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    node.queue = [...renewals(log, 1)];
    node.pull();
    node.now = 100;
    const check = node.ask();
    const checked = node.answerTo(check);
    node.queue = [...renewals(log, 1)];
    node.now = 200;
    // It asks about the pulled entry too, and learns of one more.
    node.answer(node.ask());
    node.pull();
    node.answer(check, checked);
    expect(node.loop.provenAt).toBe(100);
    node.now = 300;
    node.answer(node.ask());
    expect(node.loop.provenAt).toBe(300);
  });

  it('is not given by an answer about an older tail', () => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    node.now = 100;
    const old = node.ask();
    const answer = node.answerTo(old);
    node.queue = [...renewals(log, 1)];
    node.pull();
    node.now = 200;
    node.answer(node.ask());
    node.now = 300;
    node.answer(old, { ...answer, bounds: { minOffset: 0, maxOffset: node.queue.length } });
    expect(node.effects).toEqual([]);
    expect(node.loop.provenAt).toBe(200);
  });
});

describe('a reader that does not deliver', () => {
  it('is opened again once answers have reported more for a second, then after twice the time', () => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    node.queue = [...renewals(log, 1)];
    const reopenedAt: number[] = [];
    for (node.now = 500; node.now <= 6_000; node.now += 500) {
      node.answer(node.ask());
      if (node.kinds.includes('reopen-reader')) reopenedAt.push(node.now);
    }
    expect(reopenedAt).toEqual([1_500, 3_500]);
    node.pull();
    node.answer(node.ask());
    expect(node.loop.undelivered).toBeUndefined();
  });
});

describe('an entry that this build cannot decode', () => {
  const unread = ({ offset, digest, entry }: ReadEntry): LogMessage => ({
    offset,
    digest,
    why: 'w',
    logId: entry.logId,
  });
  const step = (node: Node, atMs: number): void => {
    node.now = atMs;
    if (node.queue.length > node.loop.nextOffset) node.pull();
    node.answer(node.ask());
  };

  it('ends the node as soon as a later one builds on it', () => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    const [next, after] = renewals(log, 2).slice(2);
    node.queue.push(unread(next!));
    step(node, 500);
    expect(node.kinds).toEqual(['unreadable', 'folded']);
    expect(node.loop.provenAt).toBe(0);
    node.queue.push(after!);
    step(node, 1_000);
    expect(node.loop.ended).toEqual({ kind: 'outdated', entry: { offset: 2, why: 'w' } });
    expect(heldUntil(node.loop.lease)).toBe(-Infinity);
  });

  it('ends the node at once where it says that its version is newer', () => {
    const node = Node.at(LogWriter.started().reads);
    node.queue.push({ offset: 2, digest: 'x', why: 'its version is 9', logId: 'log-1', isNewer: true });
    step(node, 500);
    expect(node.loop.ended).toEqual({ kind: 'outdated', entry: { offset: 2, why: 'its version is 9' } });
  });

  it('ends the node where it is the first one', () => {
    const node = new Node([]);
    const [genesis, claim] = LogWriter.started().reads;
    node.queue = [unread(genesis!), claim!];
    step(node, 500);
    expect(node.loop.ended).toEqual({ kind: 'outdated', entry: { offset: 0, why: 'w' } });
  });

  it('is nothing where it names no log, or another one', () => {
    const node = Node.at(LogWriter.started().reads);
    node.queue.push({ offset: 2, digest: 'x', why: 'no JSON' });
    node.queue.push({ offset: 3, digest: 'y', why: 'newer', logId: 'log-0', isNewer: true });
    step(node, 500);
    expect(node.loop.provenAt).toBe(500);
    expect(node.loop.unreadableCount).toBe(2);
  });

  /** A node before a message of its log that it cannot decode, and the entries that another one would write there. */
  const nodeBefore = (next: (log: LogWriter) => void): { node: Node; log: LogWriter } => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    next(log);
    node.queue.push(unread(log.reads[2]!));
    step(node, 500);
    return { node, log };
  };
  /** What `writer` writes behind what was there before the message. */
  it('is nothing once entries of two appends are accepted: the writer of the second one has read it', () => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    node.queue.push({ offset: 2, digest: 'x', why: 'w', logId: 'log-1' });
    step(node, 500);
    step(node, 500_000);
    expect(node.loop.provenAt).toBe(0);
    const [first, second] = renewals(log, 2).slice(2);
    push(node, [first!]);
    step(node, 500_600);
    expect(node.seq).toBe(1);
    log.at += 1_000;
    push(node, [{ ...second!, entry: { ...second!.entry, at: log.at } }]);
    step(node, 501_600);
    expect(node.seq).toBe(3);
    expect(node.loop.provenAt).toBe(501_600);
  });

  it('may be a claim that makes a rival one void: the node ends and has folded no part of the rival', () => {
    const { node, log } = nodeBefore(claimOf('c2'));
    push(
      node,
      rival(log, (writer) => {
        writer.claim('c3');
        writer.write({ kind: 'lease.renewed' });
      }),
    );
    step(node, 600);
    expect(node.kinds).toEqual([]);
    expect(node.loop.cluster.leader?.nodeId).toBe('c1');
    expect(node.loop.provenAt).toBe(0);
    push(node, renewals(log, 1).slice(3));
    step(node, 1_500);
    expect(node.loop.ended).toEqual({ kind: 'outdated', entry: { offset: 2, why: 'w' } });
    expect(node.loop.cluster.leader?.nodeId).toBe('c1');
  });

  it('may stand in the place of an append that landed late, though the rest was pulled with it', () => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    claimOf('c2')(log);
    node.queue.push(unread(log.reads[2]!));
    push(node, rival(log, claimOf('c3')));
    step(node, 500);
    expect(node.kinds).toEqual(['unreadable', 'folded']);
    expect(node.loop.cluster.leader?.nodeId).toBe('c1');
    expect(node.loop.nextOffset).toBe(4);
  });

  it('is taken for void where nobody has written anything else for two leases of a leader', () => {
    const { node, log } = nodeBefore(claimOf('c2'));
    push(node, rival(log, claimOf('c3')));
    for (const at of [1_000, 4_000, 7_000]) {
      step(node, at);
      // What comes meanwhile and says nothing new does not prolong the wait.
      node.queue.push({ offset: node.queue.length, digest: 'n', why: 'noise' });
    }
    expect(node.loop.cluster.leader?.nodeId).toBe('c1');
    step(node, 7_001);
    expect(node.kinds).toContain('folded');
    expect(node.loop.cluster.leader?.nodeId).toBe('c3');
    step(node, 7_100);
    expect(node.loop.provenAt).toBe(7_100);
    // It was not: what the node has folded is no part of the log that others know.
    push(node, renewals(log, 1).slice(3));
    step(node, 8_000);
    expect(node.loop.ended?.kind).toBe('rewritten');
  });

  it('lets only so many messages wait for what shows whether it is valid', () => {
    const { node, log } = nodeBefore(claimOf('c2'));
    push(node, rival(log, claimOf('c3')));
    for (let i = 0; i < 4_096; i += 1) node.queue.push({ offset: node.queue.length, digest: 'n', why: 'noise' });
    step(node, 1_000);
    expect(node.loop.ended).toMatchObject({
      kind: 'failed',
      error: { message: expect.stringMatching(/^4097 messages/) },
    });
  });
});

describe('an entry that follows entries which the node has not accepted', () => {
  const nodeAfter = (messages: (log: LogWriter) => readonly ReadEntry[]): Node => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    node.queue.push(...messages(log).map((read, i) => ({ ...read, offset: node.queue.length + i })));
    node.now = 500;
    node.pull();
    node.answer(node.ask());
    return node;
  };

  it('stops proofs until none came for two leases of a leader: somebody has to claim', () => {
    const node = nodeAfter((log) => renewals(log, 2).slice(3));
    expect(node.loop.provenAt).toBe(0);
    node.now = 6_500;
    node.answer(node.ask());
    expect(node.loop.provenAt).toBe(0);
    node.now = 6_501;
    node.answer(node.ask());
    expect(node.loop.provenAt).toBe(6_501);
  });

  it('ends a node whose copy is void once a leader that it cannot follow has written for two leases', () => {
    const log = LogWriter.started();
    const others = new LogWriter();
    others.accept(log.reads);
    log.claim('c3');
    const node = Node.at(log.reads);
    others.claim('c2');
    others.write({ kind: 'lease.renewed' });
    for (node.now = 1_000; node.now <= 7_000; node.now += 1_000) {
      others.write({ kind: 'lease.renewed' });
      node.queue.push({ ...others.reads.at(-1)!, offset: node.queue.length });
      node.pull();
      node.answer(node.ask());
      expect(node.loop.ended).toBeUndefined();
    }
    node.now = 7_001;
    others.write({ kind: 'lease.renewed' });
    node.queue.push({ ...others.reads.at(-1)!, offset: node.queue.length });
    node.pull();
    node.answer(node.ask());
    expect(node.loop.ended?.kind).toBe('rewritten');
  });

  /** A node whose copy holds a claim that others skipped, because they have accepted the one before it. `more` is what follows the former in the log. */
  const beginsBeside = (more: (writer: LogWriter) => void = () => undefined): { node: Node; log: LogWriter } => {
    const log = LogWriter.started();
    const node = new Node(log.reads);
    log.claim('c2');
    push(node, log.reads.slice(2));
    push(
      node,
      rival(log, (writer) => {
        writer.claim('c3');
        more(writer);
      }),
    );
    const copied = [0, 1, 3].map((offset) => node.queue[offset] as ReadEntry);
    node.loop = initialNodeLoop(self, foldEntries(emptyState(), copied).state, node.clock);
    // Its number is not beyond the copy's: as of a claim that came too late.
    log.claim('c2');
    push(node, log.reads.slice(-1));
    return { node, log };
  };
  const writesOn = (node: Node, log: LogWriter, now: number): void => {
    node.now = now;
    log.write({ kind: 'lease.renewed' });
    push(node, log.reads.slice(-1));
    node.pull();
    node.answer(node.ask());
  };

  it('ends a node that began with a copy which others do not have, though all that comes looks like that of a deposed leader', () => {
    const { node, log } = beginsBeside();
    for (let now = 1_000; now <= 7_000; now += 1_000) {
      writesOn(node, log, now);
      expect(node.loop.ended).toBeUndefined();
    }
    writesOn(node, log, 7_001);
    expect(node.loop.ended).toMatchObject({ kind: 'rewritten', reason: expect.stringContaining('began with') });
  });

  it('keeps a copy that an accepted entry has confirmed, whatever a deposed leader writes', () => {
    const { node, log } = beginsBeside((writer) => writer.write({ kind: 'lease.renewed' }));
    for (let now = 1_000; now <= 9_000; now += 1_000) writesOn(node, log, now);
    expect(node.loop.cluster.leader?.nodeId).toBe('c3');
    expect(node.loop.ended).toBeUndefined();
  });

  it('does not end a node where single ones come, each long after the one before', () => {
    const node = nodeAfter((log) => renewals(log, 2).slice(3));
    const others = LogWriter.started();
    for (let i = 0; i < 4; i += 1) {
      node.now += 6_100;
      node.queue.push({ ...renewals(others, 5).at(-1)!, offset: node.queue.length });
      node.pull();
      node.answer(node.ask());
      expect(node.loop.ended).toBeUndefined();
    }
  });

  it('stops no proof where a deposed leader wrote the whole chain too late', () => {
    const node = nodeAfter((log) => {
      const late = new LogWriter();
      late.accept(log.reads);
      log.claim('c2');
      return [...log.reads.slice(2), ...renewals(late, 4).slice(2)];
    });
    expect(node.loop.provenAt).toBe(500);
  });

  it('is missed by no void claim, whatever its number: it follows what the claim before it follows', () => {
    const node = nodeAfter((log) => {
      const { seq, digest } = log.state.head;
      const beside = log.next(
        { kind: 'claimed', nodeId: 'c3', incarnation: 'c3#1', after: { seq, digest } },
        { epoch: 2, claimId: 'beside' },
      );
      log.claim('c2');
      return [...log.reads.slice(2), { ...beside, entry: { ...beside.entry, seq: seq + 900 } }];
    });
    expect(node.loop.provenAt).toBe(500);
  });

  it('is missed where a claim follows it', () => {
    const node = nodeAfter((log) => {
      renewals(log, 1);
      log.claim('c2');
      return log.reads.slice(3);
    });
    expect(node.loop.provenAt).toBe(0);
  });
});

describe('a machine that was suspended', () => {
  it('has no lease when it is back, though its monotonic clock was stopped', () => {
    const node = Node.at(LogWriter.started().reads);
    node.now = 100;
    const underWay = node.ask();
    expect(holdsLease(node.loop, node.clock)).toBe(true);
    node.suspendedMs = 60_000;
    expect(holdsLease(node.loop, node.clock)).toBe(false);
    node.answer(underWay);
    expect(holdsLease(node.loop, node.clock)).toBe(false);
    const backAt = node.now;
    while (!holdsLease(node.loop, node.clock)) {
      node.now += 500;
      node.answer(node.ask());
    }
    // As after any gap between proofs: those who were given its tasks meanwhile have no lease any more.
    expect(node.now - backAt).toBeGreaterThanOrEqual(3_000);
    expect(leaseRemainingMs(node.loop, node.clock)).toBe(2_500);
  });

  it('is not distinguished from one whose wall clock was set: back costs nothing, forward the lease', () => {
    const node = Node.at(LogWriter.started().reads);
    node.suspendedMs = -3_600_000;
    expect(leaseRemainingMs(node.loop, node.clock)).toBe(2_500);
    node.answer(node.ask());
    node.suspendedMs = 0;
    expect(holdsLease(node.loop, node.clock)).toBe(false);
  });

  it.each([1_900, 60_000])('is not shown by a wall clock that was %d ms ahead while a question was sent', (aheadMs) => {
    const log = LogWriter.started();
    const node = Node.at(log.reads);
    node.now = 100;
    node.suspendedMs = aheadMs;
    const question = node.ask();
    node.suspendedMs = 0;
    node.now = 200;
    node.answer(question);
    expect(leaseRemainingMs(node.loop, node.clock)).toBe(2_400);
    // The same where the proof waits for messages that have to be folded first.
    node.queue = [...renewals(log, 1)];
    node.now = 300;
    node.suspendedMs = aheadMs;
    const early = node.ask();
    node.suspendedMs = 0;
    node.answer(early);
    node.pull();
    const check = node.ask();
    node.queue = [...renewals(log, 1)];
    node.answer(check);
    expect(node.loop.provenAt).toBe(300);
    expect(leaseRemainingMs(node.loop, node.clock)).toBe(2_500);
  });
});
