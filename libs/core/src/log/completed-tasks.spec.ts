import { describe, expect, it } from '@jest/globals';
import type { TaskId } from '../model/connector.js';
import { LogWriter } from '../testing/log-writer.js';
import { readFiles } from '../testing/read-files.js';
import { restoredState } from './restored-log.js';
import { recordsOf, stateOfRecords } from './snapshot-records.js';

const id: TaskId = { connector: 'a', index: 0 };

/** A task that its node runs. */
function running(tasks = 1): { readonly log: LogWriter; readonly generation: number } {
  const log = LogWriter.started();
  log.join('w1');
  log.connector('a', tasks);
  return { log, generation: log.assign('a', 0, 'w1') };
}

function complete(log: LogWriter, generation: number, counts: { readonly skipped?: number; readonly deadLetters?: number } = {}): number {
  return log.write({ kind: 'tasks.completed', tasks: [{ ...id, generation, at: 7, ...counts }] });
}

/** A task that has completed and stopped. */
function completed(tasks = 1): { readonly log: LogWriter; readonly generation: number } {
  const { log, generation } = running(tasks);
  complete(log, generation);
  log.write({ kind: 'tasks.released', tasks: [id] });
  return { log, generation };
}

const taskOf = (log: LogWriter) => log.state.tasks.find(id);

/** Whether the task can be assigned, and is. */
function runsAgain(log: LogWriter): boolean {
  log.assign('a', 0, 'w1');
  return taskOf(log)?.assignment !== undefined;
}

describe('a task that has completed', () => {
  it('is revoked by that, keeps its last node once it has stopped, and is not assigned again', () => {
    const { log, generation } = running();
    const seq = complete(log, generation);
    expect(taskOf(log)).toMatchObject({ completed: { generation, at: 7 }, assignment: { generation, revokedAt: seq } });
    log.write({ kind: 'tasks.released', tasks: [id] });
    expect(taskOf(log)).toMatchObject({ completed: { generation, at: 7 }, lastNodeId: 'w1' });
    expect(runsAgain(log)).toBe(false);
  });

  it('remains so where its node is gone before it has stopped', () => {
    const { log, generation } = running();
    complete(log, generation);
    log.write({ kind: 'member.left', nodeId: 'w1', incarnation: 'w1#1', reason: 'expired' });
    log.join('w1', 'source-runner', 'w1#2');
    log.assign('a', 0, 'w1', 'w1#2');
    expect(taskOf(log)).toMatchObject({ completed: { generation, at: 7 } });
    expect(taskOf(log)).not.toHaveProperty('assignment');
  });

  it('has not where another generation holds it, or none', () => {
    const { log, generation } = running();
    complete(log, generation - 1);
    complete(log, generation + 1);
    expect(taskOf(log)).not.toHaveProperty('completed');
    log.write({ kind: 'tasks.revoked', tasks: [id], reason: 'moved' }, { kind: 'tasks.released', tasks: [id] });
    complete(log, generation);
    expect(taskOf(log)).not.toHaveProperty('completed');
    const next = log.assign('a', 0, 'w1');
    complete(log, generation);
    expect(taskOf(log)).toMatchObject({ assignment: { generation: next } });
    expect(taskOf(log)).not.toHaveProperty('completed');
  });

  it.each(['restarted', 'moved'] as const)('has not where it was asked to stop before: %s', (reason) => {
    const { log, generation } = running();
    log.write({ kind: 'tasks.revoked', tasks: [id], reason });
    complete(log, generation);
    log.write({ kind: 'tasks.released', tasks: [id] });
    expect(runsAgain(log)).toBe(true);
  });

  it('remains so where that is said twice, its connector pauses and resumes, or is put and split as before', () => {
    const { log, generation } = completed();
    const before = taskOf(log);
    complete(log, generation);
    log.write({ kind: 'connector.target', name: 'a', targetState: 'PAUSED' });
    log.write({ kind: 'connector.target', name: 'a', targetState: 'RUNNING' });
    const { config } = log.state.connectors.get('a')!;
    log.write({ kind: 'connector.put', name: 'a', type: 'source', config, targetState: 'RUNNING' });
    log.split('a', 1);
    expect(taskOf(log)).toEqual(before);
  });

  it('remains so where its connector gets more tasks', () => {
    const { log } = completed();
    const config = { 'connector.class': 'FileSource', 'tasks.max': '3' };
    log.write({ kind: 'connector.put', name: 'a', type: 'source', config, targetState: 'RUNNING' });
    log.split('a', 3);
    expect([...log.state.tasks.values()].map((task) => task.completed !== undefined)).toEqual([true, false, false]);
  });

  it.each<[string, (log: LogWriter) => void]>([
    ['a restart', (log) => log.write({ kind: 'tasks.revoked', tasks: [id], reason: 'restarted' })],
    ['other settings', (log) => log.split('a', 1, { more: '1' })],
    [
      'a stop of its connector',
      (log) => {
        log.write({ kind: 'connector.target', name: 'a', targetState: 'STOPPED' });
        log.write({ kind: 'connector.target', name: 'a', targetState: 'RUNNING' });
      },
    ],
    [
      'another connector of its name',
      (log) => {
        log.write({ kind: 'connector.deleted', name: 'a' });
        log.connector('a', 1);
      },
    ],
    [
      'a time without it',
      (log) => {
        log.split('a', 0);
        log.split('a', 1);
      },
    ],
  ])('runs again after %s, also where it has not stopped yet', (_, act) => {
    const { log, generation } = completed();
    act(log);
    expect(runsAgain(log)).toBe(true);
    const { log: stopping } = running();
    complete(stopping, generation);
    act(stopping);
    expect(runsAgain(stopping)).toBe(true);
    stopping.write({ kind: 'tasks.released', tasks: [id] });
    stopping.assign('a', 0, 'w1');
    expect(taskOf(stopping)).toMatchObject({ assignment: { generation: stopping.state.head.seq } });
    expect(taskOf(stopping)).not.toHaveProperty('completed');
  });

  it.each([
    ['it has stopped', completed],
    [
      'it stops',
      () => {
        const started = running();
        complete(started.log, started.generation);
        return started;
      },
    ],
    ...[{ skipped: 5 }, { skipped: 5, deadLetters: 2 }].map((counts): [string, typeof completed] => [
      `it left out records: ${JSON.stringify(counts)}`,
      () => {
        const started = running();
        complete(started.log, started.generation, counts);
        expect(taskOf(started.log)?.completed).toEqual({ generation: started.generation, at: 7, ...counts });
        return started;
      },
    ]),
  ])('is kept by snapshots, files and a restore: %s', (_, start) => {
    const { log } = start();
    const { state } = log;
    const asJson = (value: unknown): never => JSON.parse(JSON.stringify(value)) as never;
    expect(readFiles(state)?.tasks.find(id)).toEqual(taskOf(log));
    expect(stateOfRecords(asJson(recordsOf(state)))?.tasks.find(id)).toEqual(taskOf(log));
    const place = { logId: 'log-2', broker: 'b', incarnation: 'r1', at: 2_000_000_000, lastOffset: -1 };
    expect(restoredState(state, place).tasks.find(id)).toMatchObject({ completed: taskOf(log)?.completed });
  });
});
