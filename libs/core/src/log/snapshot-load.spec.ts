import { describe, expect, it } from '@jest/globals';
import type { LogEvent } from '../model/entry.js';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
import { LogWriter } from '../testing/log-writer.js';
import { loadLast, readAnew } from '../testing/read-anew.js';
import { emptyState, foldEntries } from './fold.js';
import { recordsOf, stateDigest } from './snapshot-records.js';
import { snapshotsNamedIn } from './snapshot-load.js';

type Chunk = Extract<LogEvent, { kind: 'snapshot.chunk' }>;

/** A leader with many connectors that has just written a snapshot in small chunks. */
function snapshotted(settings: { snapshotPauseMs?: number } = {}): CoordinatorHarness {
  const node = CoordinatorHarness.leading({
    snapshotEntries: 30,
    snapshotChunkBytes: 2_000,
    snapshotPauseMs: 0,
    ...settings,
  });
  node.report('w1');
  for (let i = 0; i < 30; i += 1) node.create(`c${i}`);
  node.pass(1_000, ['w1']);
  return node;
}

describe('a snapshot in the log', () => {
  it('gives a reader that knows nothing the state that all others have', () => {
    const { log } = snapshotted();
    expect(log.reads.filter(({ entry }) => entry.event.kind === 'snapshot.chunk').length).toBeGreaterThan(3);
    expect(readAnew(log)).toBe(stateDigest(log.state));
    expect(stateDigest(foldEntries(emptyState(), log.reads).state)).toBe(stateDigest(log.state));
  });

  it('is named by the renewals that follow it', () => {
    const node = snapshotted();
    node.pass(3_000, ['w1']);
    const { snapshot } = node.state.cluster;
    expect(node.events('lease.renewed').at(-1)).toEqual({ kind: 'lease.renewed', snapshotAt: snapshot?.doneOffset });
    expect(snapshotsNamedIn(node.log.reads.slice(-1))).toEqual([snapshot?.doneOffset]);
  });

  it('continues with the chunk that was lost', () => {
    const node = CoordinatorHarness.leading({ snapshotEntries: 25, snapshotChunkBytes: 1_000, snapshotPauseMs: 0 });
    for (let i = 0; i < 18; i += 1) node.create(`c${i}`);
    node.isStoring = false;
    node.create('last');
    for (let i = 0; i < 2; i += 1) node.store(node.of('append').at(-1)!);
    const lost = node.of('append').at(-1)!;
    const isChunk = (event: LogEvent): event is Chunk => event.kind === 'snapshot.chunk';
    expect(lost.events.find(isChunk)?.index).toBe(1);
    node.feed({ kind: 'append.settled', appendId: lost.appendId, outcome: 'not-stored' });
    node.isStoring = true;
    node.pass(2_000);
    expect(readAnew(node.log)).toBe(stateDigest(node.log.state));
    const indexes = node.events('snapshot.chunk').map(({ index }) => index);
    expect(indexes).toEqual(indexes.map((_, i) => i));
  });

  it('adds one chunk to what is said anyway: neither decisions nor renewals wait for it', () => {
    const node = CoordinatorHarness.leading({ snapshotEntries: 25, snapshotChunkBytes: 300, snapshotPauseMs: 0 });
    for (let i = 0; i < 18; i += 1) node.create(`c${i}`);
    node.isStoring = false;
    node.create('x');
    node.store(node.of('append').at(-1)!);
    node.create('y');
    node.store(node.of('append').at(-1)!);
    const kinds = node
      .of('append')
      .at(-1)!
      .events.map(({ kind }) => kind);
    expect(kinds).toEqual(['command.applied', 'snapshot.chunk']);
  });

  it('leaves time between its chunks, in which the leader decides and renews', () => {
    const node = snapshotted({ snapshotPauseMs: 2_000 });
    const startedAt = node.now;
    const times: number[] = [];
    for (let turn = 0; turn < 200 && node.events('snapshot.done').length === 0; turn += 1) {
      const before = node.events('snapshot.chunk').length;
      node.pass(100, ['w1']);
      if (node.events('snapshot.chunk').length > before) times.push(node.now);
    }
    expect(times.length).toBeGreaterThan(1);
    for (const [i, time] of times.slice(1).entries()) expect(time - times[i]!).toBeGreaterThanOrEqual(2_000);
    expect(node.events('lease.renewed').length).toBeGreaterThan((node.now - startedAt) / 1_500);
    expect(readAnew(node.log)).toBe(stateDigest(node.log.state));
  });

  it('is written by age too, and the next one only when it is due again', () => {
    const node = CoordinatorHarness.leading({ snapshotAgeMs: 60_000 });
    node.wall = node.log.state.createdAt;
    node.pass(59_000);
    expect(node.events('snapshot.done')).toEqual([]);
    node.pass(2_000);
    expect(node.events('snapshot.done')).toHaveLength(1);
    node.pass(50_000);
    expect(node.events('snapshot.done')).toHaveLength(1);
  });
});

describe('a snapshot that retention comes near to', () => {
  const reached = (node: CoordinatorHarness, minOffset: number): void => {
    node.feed({ kind: 'head.reached', sentAt: node.now, minOffset });
    node.pass(200);
  };
  const count = (node: CoordinatorHarness): number => node.events('snapshot.done').length;

  it('is followed by another as soon as less is left before it than stands behind it', () => {
    const node = CoordinatorHarness.leading();
    node.pass(60_000);
    reached(node, 0);
    expect(count(node)).toBe(0);
    reached(node, 1);
    expect(count(node)).toBe(1);
    const { offset } = node.state.cluster.snapshot!.asOf;
    node.pass(40_000);
    const behind = node.state.cluster.head.offset - offset;
    expect(offset - behind).toBeGreaterThan(1);
    reached(node, offset - behind - 5);
    expect(count(node)).toBe(1);
    reached(node, offset - behind + 5);
    expect(count(node)).toBe(2);
    reached(node, offset - behind + 5);
    expect(count(node)).toBe(2);
  });

  it('is followed by another at once where retention has taken it', () => {
    const node = CoordinatorHarness.leading();
    node.pass(5_000);
    reached(node, 1);
    expect(count(node)).toBe(1);
    reached(node, node.state.cluster.head.offset);
    expect(count(node)).toBe(2);
    expect(node.state.cluster.snapshot!.asOf.offset).toBeGreaterThanOrEqual(node.state.logMinOffset);
  });
});

describe('what makes a snapshot void', () => {
  const chunksOf = (log: LogWriter): Chunk[] => {
    const records = recordsOf(log.state);
    const snapshotId = 's';
    const asOf = log.state.head;
    return [
      { kind: 'snapshot.chunk', snapshotId, asOf, index: 0, data: records.slice(0, 1) },
      { kind: 'snapshot.chunk', snapshotId, asOf, index: 1, data: records.slice(1) },
    ];
  };
  const doneOf = ({ snapshotId, asOf }: Chunk, digest = 'x', chunks = 2): LogEvent => {
    return { kind: 'snapshot.done', snapshotId, asOf, chunks, digest };
  };
  const start = (): { log: LogWriter; chunks: Chunk[]; digest: string } => {
    const log = LogWriter.started();
    log.join('w1');
    return { log, chunks: chunksOf(log), digest: stateDigest(log.state) };
  };

  it('nothing, if all chunks and the end follow in order with other entries between them', () => {
    const { log, chunks, digest } = start();
    log.write(chunks[0]!, { kind: 'lease.renewed' }, chunks[1]!, doneOf(chunks[0]!, digest));
    expect(log.state.snapshot).toMatchObject({ snapshotId: 's', chunks: 2, doneOffset: log.state.head.offset });
    expect(log.state.openSnapshot).toBeUndefined();
    expect(loadLast(log.reads).kind).toBe('loaded');
  });

  it.each<[string, (log: LogWriter, chunks: Chunk[], digest: string) => void]>([
    ['a missing chunk', (log, [first], digest) => log.write(first!, doneOf(first!, digest))],
    ['a wrong count', (log, [first, second], digest) => log.write(first!, second!, doneOf(first!, digest, 3))],
    ['a wrong order', (log, [first, second], digest) => log.write(second!, first!, doneOf(first!, digest))],
    [
      'another head',
      (log, [first, second], digest) => {
        log.write(first!, { ...second!, asOf: { ...second!.asOf, seq: 1 } }, doneOf(first!, digest));
      },
    ],
    [
      'a claim in between',
      (log, [first, second], digest) => {
        log.write(first!);
        log.claim('c2');
        log.write(second!, doneOf(first!, digest));
      },
    ],
  ])('%s', (_, write) => {
    const { log, chunks, digest } = start();
    write(log, chunks, digest);
    expect(log.state.snapshot).toBeUndefined();
    expect(log.state.openSnapshot).toBeUndefined();
    expect(loadLast(log.reads).kind).toBe('invalid');
  });

  it('content that its digest does not cover', () => {
    const { log, chunks } = start();
    log.write(...chunks, doneOf(chunks[0]!, 'other'));
    expect(loadLast(log.reads)).toMatchObject({ kind: 'invalid', reason: expect.stringContaining('not other') });
  });
});
