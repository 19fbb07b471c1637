import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RESULT_RETENTION_MS } from '../model/command.js';
import type { LogEvent, ReadEntry } from '../model/entry.js';
import { LogWriter } from '../testing/log-writer.js';
import { emptyState, foldEntries, foldEntry } from './fold.js';
import { recordsOf } from './snapshot-records.js';
import { jsonParts } from './json-parts.js';
import { fromFiles, toConnectorFile, toTaskFile } from './state-files.js';

const renewed: LogEvent = { kind: 'lease.renewed' };

const textOf = (...files: readonly unknown[]): string => files.flatMap((file) => [...jsonParts(file)]).join('');
const parsed = (file: unknown): object => JSON.parse(textOf(file)) as object;

describe('acceptance of entries', () => {
  it('takes genesis only as the first entry, and nothing before it', () => {
    const log = LogWriter.started();
    expect(log.state).toMatchObject({ logId: 'log-1', broker: 'broker-a', epoch: 1 });
    expect(foldEntries(log.state, [log.next({ kind: 'genesis', broker: 'b' })]).skipped).toHaveLength(1);
    const early = { ...log.next(renewed), entry: { ...log.next(renewed).entry, seq: 0, prevDigest: '' } };
    expect(foldEntries(emptyState(), [early]).skipped).toEqual([{ offset: 2, reason: 'not-successor' }]);
  });

  it('skips and counts a resend, a foreign log, a wrong chain and a claim that is not in force', () => {
    const log = LogWriter.started();
    const good = log.next(renewed);
    const spoil = (change: Partial<ReadEntry['entry']>): ReadEntry => ({
      ...good,
      entry: { ...good.entry, ...change },
    });
    const { state, skipped } = foldEntries(log.state, [
      spoil({ logId: 'other' }),
      spoil({ prevDigest: 'x' }),
      spoil({ seq: 7 }),
      spoil({ epoch: 2 }),
      spoil({ claimId: 'x' }),
      good,
      good,
    ]);
    expect(skipped.map(({ reason }) => reason)).toEqual([
      'other-log',
      'not-successor',
      'not-successor',
      'not-in-force',
      'not-in-force',
      'not-successor',
    ]);
    expect(state.skipped).toBe(6);
    expect(state.head).toEqual({ offset: 2, seq: 2, digest: good.digest });
  });

  it('takes a claim only of the next epoch and only when made after the head', () => {
    const log = LogWriter.started();
    const claim = (epoch: number, digest: string): ReadEntry =>
      log.next({ kind: 'claimed', nodeId: 'c2', incarnation: 'c2#1', after: { seq: 1, digest } }, { epoch, claimId: 'k' });
    const { head } = log.state;
    expect(foldEntry(log.state, claim(2, 'older')).leader?.nodeId).toBe('c1');
    expect(foldEntry(log.state, claim(3, head.digest)).leader?.nodeId).toBe('c1');
    expect(foldEntry(log.state, claim(2, head.digest)).leader).toEqual({
      nodeId: 'c2',
      incarnation: 'c2#1',
      resigned: false,
    });
  });

  it('lets a claim leap, and nothing else; none goes back', () => {
    const log = LogWriter.started();
    const { head } = log.state;
    const after = { seq: head.seq, digest: head.digest };
    const good = log.next({ kind: 'claimed', nodeId: 'c2', incarnation: 'c2#1', after }, { epoch: 2, claimId: 'k' });
    const at = (read: ReadEntry, seq: number): ReadEntry => ({ ...read, entry: { ...read.entry, seq } });
    const leapt = foldEntry(log.state, at(good, 500));
    expect(leapt).toMatchObject({ epoch: 2, head: { offset: 2, seq: 500 } });
    for (const seq of [head.seq, head.seq - 1]) expect(foldEntry(log.state, at(good, seq)).epoch).toBe(1);
    expect(foldEntry(log.state, at(log.next({ kind: 'lease.renewed' }), 500)).head.seq).toBe(head.seq);
  });

  it('takes nothing but a claim after the leader resigned', () => {
    const log = LogWriter.started();
    log.write({ kind: 'leader.resigned' });
    expect(foldEntries(log.state, [log.next(renewed)]).skipped).toEqual([{ offset: 3, reason: 'not-in-force' }]);
    log.claim('c2');
    expect(log.state.leader?.nodeId).toBe('c2');
  });

  it('never throws on garbage, counts all of it, and leaves the given state alone', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 2);
    const before = textOf(toConnectorFile(log.state), toTaskFile(log.state));
    const names = fc.constantFrom('a', 'b', '__proto__', '');
    const ids = fc.array(fc.record({ connector: names, index: fc.integer({ min: 0, max: 3 }) }), { maxLength: 3 });
    const nodes = fc.record({ nodeId: fc.constantFrom('w1', 'w2'), incarnation: fc.constantFrom('w1#1', 'z') });
    const configs = fc.array(fc.dictionary(names, fc.string()), { maxLength: 3 });
    const event: fc.Arbitrary<LogEvent> = fc.oneof(
      fc.constant<LogEvent>(renewed),
      fc.record({ kind: fc.constantFrom('member.suspected', 'member.cleared'), node: nodes }).map(({ kind, node }) => ({
        kind,
        ...node,
      })),
      nodes.map((node) => ({ kind: 'member.left' as const, ...node, reason: 'expired' as const })),
      nodes.map((node) => ({
        kind: 'member.joined' as const,
        member: { ...node, role: 'source-runner' as const, capacity: 1, plugins: [] },
      })),
      names.map((name) => ({ kind: 'connector.deleted' as const, name })),
      fc.record({ name: names, targetState: fc.constantFrom('RUNNING', 'STOPPED') }).map((put) => ({
        kind: 'connector.put' as const,
        type: 'source' as const,
        config: {},
        ...put,
      })),
      fc.record({ name: names, configVersion: fc.integer({ min: 0, max: 12 }), tasks: configs }).map((made) => ({
        kind: 'tasks.configured' as const,
        ...made,
      })),
      ids.map((tasks) => ({ kind: 'tasks.revoked' as const, tasks, reason: 'moved' as const })),
      ids.map((tasks) => ({ kind: 'tasks.released' as const, tasks })),
      fc.tuple(ids, nodes).map(([tasks, node]) => ({
        kind: 'tasks.assigned' as const,
        tasks: tasks.map((task) => ({ ...task, ...node })),
      })),
    );
    const step = fc.record({ event, isValid: fc.boolean(), seq: fc.integer({ min: -1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let { state } = log;
        let invalid = 0;
        for (const { event: next, isValid, seq } of steps) {
          const good = { seq: state.head.seq + 1, prevDigest: state.head.digest };
          const chain = isValid ? good : { seq, prevDigest: 'garbage' };
          if (!isValid) invalid += 1;
          state = foldEntry(state, {
            offset: state.head.offset + 1,
            digest: `x${good.seq}`,
            entry: { logId: 'log-1', epoch: 1, claimId: 'claim-1', at: 1, ...chain, event: next },
          });
          for (const task of state.tasks.values()) {
            const connector = state.connectors.get(task.id.connector);
            const isWanted = connector !== undefined && task.id.index < (connector.taskCount ?? 0);
            if (task.assignment === undefined) expect(isWanted).toBe(true);
            else if (task.assignment.revokedAt === undefined) {
              expect([isWanted, connector?.targetState]).toEqual([true, 'RUNNING']);
              expect(state.members.get(task.assignment.nodeId)?.incarnation).toBe(task.assignment.incarnation);
            }
          }
        }
        expect(state.skipped).toBe(invalid);
      }),
      { numRuns: 300 },
    );
    expect(textOf(toConnectorFile(log.state), toTaskFile(log.state))).toBe(before);
  });

  it('gives the same state for one batch as for single entries', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 3);
    log.assign('a', 0, 'w1');
    expect(recordsOf(foldEntries(emptyState(), log.reads).state)).toEqual(recordsOf(log.state));
  });
});

describe('what events imply', () => {
  it('gives a task the seq of its assigning entry as generation', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 1);
    const generation = log.assign('a', 0, 'w1');
    expect(log.state.tasks.get('a-0')?.assignment).toEqual({ nodeId: 'w1', incarnation: 'w1#1', generation });
  });

  it('does not assign a held task again', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.join('w2');
    log.connector('a', 1);
    log.assign('a', 0, 'w1');
    log.assign('a', 0, 'w2');
    expect(log.state.tasks.get('a-0')?.assignment?.nodeId).toBe('w1');
  });

  it('does not assign a task of a stopped connector', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 1);
    log.write({ kind: 'connector.target', name: 'a', targetState: 'STOPPED' });
    log.assign('a', 0, 'w1');
    expect(log.state.tasks.get('a-0')?.assignment).toBeUndefined();
  });

  it('frees the tasks of a member that leaves and never lets that incarnation in again', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 1);
    log.assign('a', 0, 'w1');
    log.write({ kind: 'member.left', nodeId: 'w1', incarnation: 'w1#1', reason: 'expired' });
    expect(log.state.tasks.get('a-0')).toMatchObject({ lastNodeId: 'w1' });
    expect(log.state.tasks.get('a-0')?.assignment).toBeUndefined();
    log.join('w1');
    expect(log.state.members.has('w1')).toBe(false);
    log.join('w1', 'source-runner', 'w1#2');
    expect(log.state.members.get('w1')?.incarnation).toBe('w1#2');
  });

  it('leaves tasks alone whose full settings did not change, and revokes changed and surplus ones', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 3);
    for (const index of [0, 1, 2]) log.assign('a', index, 'w1');
    const config = log.state.connectors.get('a')!.config;
    const configVersion = log.write({
      kind: 'connector.put',
      name: 'a',
      type: 'source',
      config,
      targetState: 'RUNNING',
    });
    const seq = log.write({
      kind: 'tasks.configured',
      name: 'a',
      configVersion,
      tasks: [
        { ...config, file: 'f0' },
        { ...config, file: 'new' },
      ],
    });
    expect([0, 1, 2].map((i) => log.state.tasks.get(`a-${i}`)?.assignment?.revokedAt)).toEqual([undefined, seq, seq]);
    log.write({ kind: 'tasks.released', tasks: [{ connector: 'a', index: 2 }] });
    expect(log.state.tasks.has('a-2')).toBe(false);
  });

  it('keeps the old owner of a deleted connector’s task in the way of its successor until it is released', () => {
    const log = LogWriter.started();
    log.join('w1');
    log.join('w2');
    log.connector('a', 2);
    log.assign('a', 0, 'w1');
    log.write({ kind: 'connector.deleted', name: 'a' });
    expect([...log.state.tasks.keys()]).toEqual(['a-0']);
    log.connector('a', 1);
    log.assign('a', 0, 'w2');
    expect(log.state.tasks.get('a-0')?.assignment).toMatchObject({ nodeId: 'w1' });
    expect(log.state.tasks.get('a-0')?.assignment?.revokedAt).toBeDefined();
    log.write({ kind: 'tasks.released', tasks: [{ connector: 'a', index: 0 }] });
    log.assign('a', 0, 'w2');
    expect(log.state.tasks.get('a-0')?.assignment?.nodeId).toBe('w2');
  });

  it('ignores tasks made from an older config', () => {
    const log = LogWriter.started();
    const configVersion = log.connector('a', 1);
    log.connector('a', 1);
    log.write({ kind: 'tasks.configured', name: 'a', configVersion, tasks: [] });
    log.write({ kind: 'tasks.failed', name: 'a', configVersion, error: 'old' });
    expect(log.state.connectors.get('a')).toMatchObject({ taskCount: 1 });
    expect(log.state.connectors.get('a')?.error).toBeUndefined();
  });

  it('keeps the results of commands for 24 h and the difference of clocks, and the first result of a request id', () => {
    const log = LogWriter.started();
    const done = (requestId: string, commandOffset: number): LogEvent => ({
      kind: 'command.done',
      result: { requestId, commandOffset, outcome: { status: 'done' } },
    });
    log.write(done('r1', 4), done('r1', 6));
    expect(log.state.nextCommandOffset).toBe(7);
    expect(log.state.results.get('r1')?.commandOffset).toBe(4);
    log.at += RESULT_RETENTION_MS;
    log.write(done('r2', 7));
    expect([...log.state.results.keys()]).toEqual(['r1', 'r2']);
    log.at += 1;
    log.write(renewed);
    expect([...log.state.results.keys()]).toEqual(['r2']);
  });
});

describe('state files', () => {
  const sample = (): LogWriter => {
    const log = LogWriter.started();
    log.join('w1');
    log.connector('a', 2);
    log.assign('a', 1, 'w1');
    log.write({
      kind: 'command.done',
      result: { requestId: 'r', commandOffset: 3, outcome: { status: 'conflict', message: 'm' } },
    });
    log.write({ kind: 'member.rejected', nodeId: 'w1', incarnation: 'w1#2', reason: 'twice' });
    return log;
  };

  it('give the state back after a passage through text', () => {
    const { state } = sample();
    const files = [toConnectorFile(state), toTaskFile(state)].map(parsed);
    expect(recordsOf(fromFiles(files[0], files[1])!)).toEqual(recordsOf(state));
  });

  it('give nothing when they stand at different heads, or are of another version or shape', () => {
    const log = sample();
    const older = parsed(toTaskFile(log.state));
    const unchanged = log.state.head;
    log.write(renewed);
    const connectors = parsed(toConnectorFile(log.state));
    const tasks = parsed(toTaskFile(log.state));
    expect(fromFiles(connectors, older)).toBeUndefined();
    expect(fromFiles(parsed(toConnectorFile(log.state, unchanged)), older)?.head).toEqual(log.state.head);
    expect(fromFiles({ ...connectors, version: 1 }, tasks)).toBeUndefined();
    expect(fromFiles(connectors, { ...tasks, tasks: {} })).toBeUndefined();
    expect(fromFiles(null, undefined)).toBeUndefined();
  });

  it('forgets the same results in one batch as in single entries', () => {
    const log = LogWriter.started();
    const done = (n: number): LogEvent => ({
      kind: 'command.done',
      result: { requestId: `r${n}`, commandOffset: n, outcome: { status: 'done' } },
    });
    log.write(...Array.from({ length: 200 }, (_, n) => done(n)));
    log.at += RESULT_RETENTION_MS + 1;
    log.write({ kind: 'lease.renewed' });
    const batch = foldEntries(emptyState(), log.reads).state;
    expect([...batch.results.keys()]).toEqual([...log.state.results.keys()]);
  });
});
