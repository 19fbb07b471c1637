import { describe, expect, it } from '@jest/globals';
import type { LogEntry, LogEvent, ReadEntry } from '../model/entry.js';
import { LogWriter } from '../testing/log-writer.js';
import { emptyState, foldEntries } from './fold.js';
import { CATCH_UP_ENTRIES } from './start-plan.js';

const WORKERS = 1_000;
const CONNECTORS = 10_000;
const TASKS_EACH = 10;
const ENTRIES = 100_000;
const GOAL_MS = 2_000;
/** CPU time grows, too, when a machine's cores are shared: a fold that copies too much takes ten times as long. */
const BUSY_FACTOR = 3;

/** The log of a large cluster: all of it is set up, then tasks move, fail and are restarted, and leases are renewed. */
function* history(): Generator<LogEvent> {
  for (let i = 0; i < WORKERS; i += 1) {
    const member = {
      nodeId: `w${i}`,
      incarnation: `i${i}`,
      role: 'source-runner',
      capacity: 1,
    } as const;
    yield { kind: 'member.joined', member: { ...member, plugins: ['FileSource'] } };
  }
  for (let i = 0; i < CONNECTORS; i += 1) {
    const config = { 'connector.class': 'FileSource', file: `/data/${i}`, 'tasks.max': String(TASKS_EACH) };
    const name = `c${i}`;
    yield { kind: 'connector.put', name, type: 'source', config, targetState: 'RUNNING' };
    const result = { requestId: `r${i}`, commandOffset: i, outcome: { status: 'done' } } as const;
    yield { kind: 'command.done', result };
  }
  for (let i = 0; i < CONNECTORS; i += 1) {
    // Members, and a put and a result for each connector before this one, follow genesis and the claim.
    const configVersion = 2 + WORKERS + 2 * i;
    const tasks = Array.from({ length: TASKS_EACH }, (_, index) => ({ part: String(index), connector: String(i) }));
    yield { kind: 'tasks.configured', name: `c${i}`, configVersion, tasks };
  }
  for (let from = 0; from < CONNECTORS; from += 25) {
    const tasks = Array.from({ length: 25 * TASKS_EACH }, (_, i) => owned(from + Math.floor(i / TASKS_EACH), i % TASKS_EACH));
    yield { kind: 'tasks.assigned', tasks };
  }
  for (let i = 0; ; i += 1) {
    const task = owned((i * 7919) % CONNECTORS, i % TASKS_EACH);
    const tasks = [{ connector: task.connector, index: task.index }];
    yield { kind: 'tasks.committed', tasks };
    yield { kind: 'tasks.revoked', tasks, reason: 'moved' };
    yield { kind: 'tasks.released', tasks };
    yield { kind: 'tasks.assigned', tasks: [task] };
    yield { kind: 'lease.renewed' };
  }
}

function owned(connector: number, index: number): { connector: string; index: number; nodeId: string; incarnation: string } {
  const worker = String((connector * TASKS_EACH + index) % WORKERS);
  return { connector: `c${connector}`, index, nodeId: `w${worker}`, incarnation: `i${worker}` };
}

function reads(): readonly ReadEntry[] {
  const events = history();
  const result: ReadEntry[] = [];
  for (let seq = 0; seq < ENTRIES; seq += 1) {
    const prevDigest = seq === 0 ? '' : `d${seq - 1}`;
    const epoch = seq === 0 ? 0 : 1;
    const entry: Omit<LogEntry, 'event'> = { logId: 'l', epoch, claimId: 'k', seq, prevDigest, at: seq };
    const event: LogEvent =
      seq === 0
        ? { kind: 'genesis', broker: 'b' }
        : seq === 1
          ? { kind: 'claimed', nodeId: 'c', incarnation: 'c1', after: { seq: 0, digest: 'd0' } }
          : (events.next().value as LogEvent);
    result.push({ offset: seq, digest: `d${seq}`, entry: { ...entry, event } });
  }
  return result;
}

describe('the replay of a log', () => {
  it(`of ${ENTRIES} entries with ${CONNECTORS * TASKS_EACH} tasks takes no longer than reading does`, () => {
    const log = reads();
    const times: number[] = [];
    let state = emptyState();
    for (let run = 0; run < 3; run += 1) {
      state = emptyState();
      const started = process.cpuUsage();
      for (let at = 0; at < log.length; at += CATCH_UP_ENTRIES) {
        state = foldEntries(state, log.slice(at, at + CATCH_UP_ENTRIES)).state;
      }
      const { user, system } = process.cpuUsage(started);
      times.push((user + system) / 1_000);
    }
    const told = times.map((time) => `${time.toFixed(0)} ms`).join(', ');
    process.stderr.write(`replay of ${ENTRIES} entries, CPU: ${told}\n`);
    expect(state.head.seq).toBe(ENTRIES - 1);
    expect(state.tasks.size).toBe(CONNECTORS * TASKS_EACH);
    expect([...state.tasks.values()].filter(({ assignment }) => assignment === undefined).length).toBeLessThan(2);
    expect(Math.min(...times)).toBeLessThan(BUSY_FACTOR * GOAL_MS);
  });

  it('of as many entries at once takes at most 2 s of CPU', () => {
    const log = LogWriter.started();
    log.join('w1');
    const config = { 'connector.class': 'FileSource' };
    const entries = [...log.reads];
    let { seq, digest } = log.state.head;
    const { epoch, claimId } = log.state;
    const add = (event: LogEvent): number => {
      seq += 1;
      const entry = { logId: 'log-1', epoch, claimId, seq, prevDigest: digest, at: seq, event };
      digest = `d${seq}`;
      entries.push({ offset: seq, digest, entry });
      return seq;
    };
    for (let c = 0; c < 10_000; c += 1) {
      const name = `c${c}`;
      const configVersion = add({ kind: 'connector.put', name, type: 'source', config, targetState: 'RUNNING' });
      const tasks = Array.from({ length: 10 }, (_, i) => ({ ...config, part: String(i) }));
      add({ kind: 'tasks.configured', name, configVersion, tasks });
      for (let index = 0; index < 8; index += 1) {
        add({ kind: 'tasks.assigned', tasks: [{ connector: name, index, nodeId: 'w1', incarnation: 'w1#1' }] });
      }
    }
    const fold = (): number => {
      const before = process.cpuUsage();
      const { state, skipped } = foldEntries(emptyState(), entries);
      expect([state.tasks.size, skipped]).toEqual([100_000, []]);
      return process.cpuUsage(before).user / 1_000;
    };
    const cpuMs = Math.min(fold(), fold());
    expect(entries.length).toBeGreaterThan(100_000);
    expect(cpuMs).toBeLessThan(3 * GOAL_MS);
  });
});
