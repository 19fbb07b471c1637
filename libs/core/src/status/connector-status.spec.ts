import { describe, expect, it } from '@jest/globals';
import type { InstanceReport, Report, RunState } from '../model/report.js';
import { LogWriter } from '../testing/log-writer.js';
import { connectorStatus, taskStatus } from './connector-status.js';
import { LatestReports, type ReportsView } from './reports-view.js';

const none: ReportsView = new Map();

/** The view of those who heard these reports. */
function heard(...reports: readonly Report[]): ReportsView {
  const latest = new LatestReports();
  for (const each of reports) latest.take(each);
  return latest.view;
}

function report(generation: number, state: RunState, change: Partial<Report> = {}): Report {
  const counters = { records: 3 };
  const trace = state === 'FAILED' ? { trace: 'Error: disk full' } : {};
  return {
    nodeId: 'w1',
    incarnation: 'w1#1',
    role: 'source-runner',
    reportSeq: 1,
    sentAt: 0,
    leaving: false,
    capacity: 1,
    plugins: [{ kind: 'source', name: 'FileSource', aliases: [], version: '1.2.3' }],
    appliedSeq: generation,
    tasks: [{ id: { connector: 'a', index: 0 }, generation, state, since: 5, committed: false, counters, ...trace }],
    ...change,
  };
}

function assigned(): { log: LogWriter; generation: number } {
  const log = LogWriter.started();
  log.join('w1');
  log.connector('a', 1);
  return { log, generation: log.assign('a', 0, 'w1') };
}

const id = { connector: 'a', index: 0 };

describe('status of a task', () => {
  it.each<RunState>(['RUNNING', 'PAUSED', 'FAILED', 'RESTARTING'])('is %s as its member reports it', (state) => {
    const { log, generation } = assigned();
    const status = taskStatus(log.state, heard(report(generation, state)), id);
    expect(status).toMatchObject({ state, workerId: 'w1', generation, version: '1.2.3', since: 5 });
    expect(status?.trace).toBe(state === 'FAILED' ? 'Error: disk full' : undefined);
  });

  it('has the version that its member says it runs; else the one that its member would take', () => {
    const { log, generation } = assigned();
    const versions = ['2.0.0', '1.2.3', '3.0.0-rc.1'];
    const plugins = versions.map((version) => ({ kind: 'source', name: 'FileSource', aliases: [], version }) as const);
    const listing = report(generation, 'RUNNING', { plugins });
    const [task] = listing.tasks;
    const saying = heard({ ...listing, tasks: [{ ...task!, version: '1.2.3' }] });
    expect(taskStatus(log.state, saying, id)?.version).toBe('1.2.3');
    expect(connectorStatus(log.state, saying, 'a')?.version).toBe('1.2.3');
    expect(taskStatus(log.state, heard(listing), id)?.version).toBe('2.0.0');
    const config = { 'connector.class': 'FileSource', 'connector.plugin.version': '(,2.0)' };
    log.write({ kind: 'connector.put', name: 'a', type: 'source', config, targetState: 'RUNNING' });
    expect(taskStatus(log.state, heard(listing), id)?.version).toBe('1.2.3');
  });

  it('is COMPLETED, with the time and its last worker, once the log says so', () => {
    const { log, generation } = assigned();
    const reports = heard(report(generation, 'STOPPING'));
    const completed = { id, state: 'COMPLETED', workerId: 'w1', generation, since: 7, completedAt: 7 };
    log.write({ kind: 'tasks.completed', tasks: [{ ...id, generation, at: 7 }] });
    expect(taskStatus(log.state, reports, id)).toEqual({ ...completed, version: '1.2.3', counters: { records: 3 } });
    log.write({ kind: 'tasks.released', tasks: [id] });
    expect(taskStatus(log.state, reports, id)).toEqual({ ...completed, version: '1.2.3' });
    log.write({ kind: 'member.left', nodeId: 'w1', incarnation: 'w1#1', reason: 'expired' });
    expect(taskStatus(log.state, reports, id)).toEqual(completed);
  });

  it('is COMPLETED with what it left out: all findings while its worker reports it, the counts also after that', () => {
    const { log, generation } = assigned();
    const warnings = [{ at: 3, message: 'queue t@b:0 does not exist any more' }];
    const lastError = { at: 4, message: 'Error: disk full' };
    const { tasks, ...node } = report(generation, 'STOPPING');
    // What the log says is newer than this report.
    const older = { recordsSent: 8, recordsSkipped: 900 };
    const reports = heard({ ...node, tasks: tasks.map((task) => ({ ...task, counters: older, warnings, lastError })) });
    log.write({ kind: 'tasks.completed', tasks: [{ ...id, generation, at: 7, skipped: 1000, deadLetters: 20 }] });
    const counts = { recordsSkipped: 1000, deadLettersWritten: 20 };
    const held = taskStatus(log.state, reports, id);
    expect(held).toMatchObject({ state: 'COMPLETED', since: 7, counters: { recordsSent: 8, ...counts }, warnings, lastError });
    log.write({ kind: 'tasks.released', tasks: [id] });
    const released = taskStatus(log.state, none, id);
    expect(released).toMatchObject({ state: 'COMPLETED', counters: counts });
    expect(taskStatus(log.state, reports, id)).toEqual({ ...released, version: '1.2.3' });
  });

  it('is RUNNING, with the time, while it has no more data and the log does not say so', () => {
    const { log, generation } = assigned();
    const { tasks, ...node } = report(generation, 'RUNNING');
    const completed = { ...node, tasks: tasks.map((task) => ({ ...task, completedAt: 7 })) };
    expect(taskStatus(log.state, heard(completed), id)).toMatchObject({ state: 'RUNNING', completedAt: 7 });
    expect(taskStatus(log.state, heard(report(generation, 'RUNNING')), id)).not.toHaveProperty('completedAt');
  });

  it('shows the last error, the next restart and the warnings', () => {
    const { log, generation } = assigned();
    const lastError = { at: 4, message: 'Error: disk full' };
    const restart = { attempt: 2, maxAttempts: 3, at: 9 };
    const warnings = [{ at: 3, message: 'an operator has reset queue t@b:0' }];
    const { tasks, ...node } = report(generation, 'RESTARTING');
    const reported = { ...node, tasks: tasks.map((task) => ({ ...task, lastError, restart, warnings })) };
    expect(taskStatus(log.state, heard(reported), id)).toMatchObject({ lastError, restart, warnings });
  });

  it('is UNASSIGNED when the report is of another generation or not there', () => {
    const { log, generation } = assigned();
    expect(taskStatus(log.state, none, id)?.state).toBe('UNASSIGNED');
    expect(taskStatus(log.state, heard(report(generation - 1, 'RUNNING')), id)?.state).toBe('UNASSIGNED');
  });

  it('is UNASSIGNED once its worker is gone, whatever that said last', () => {
    const { log, generation } = assigned();
    const reports = heard(report(generation, 'RUNNING'));
    log.write({ kind: 'member.left', nodeId: 'w1', incarnation: 'w1#1', reason: 'expired' });
    expect(taskStatus(log.state, reports, id)).toEqual({
      id,
      state: 'UNASSIGNED',
      workerId: 'w1',
      reason: { code: 'no-worker', message: 'No worker of role source-runner is a member.' },
    });
  });

  it('is RESTARTING while it is moved', () => {
    const { log, generation } = assigned();
    log.write({ kind: 'tasks.revoked', tasks: [id], reason: 'moved' });
    expect(taskStatus(log.state, heard(report(generation, 'RUNNING')), id)?.state).toBe('RESTARTING');
  });

  it('is still RUNNING while it ends with its stopped connector', () => {
    const { log, generation } = assigned();
    log.write({ kind: 'connector.target', name: 'a', targetState: 'STOPPED' });
    const reports = heard(report(generation, 'STOPPING'));
    expect(connectorStatus(log.state, reports, 'a')).toMatchObject({ state: 'STOPPED', tasks: [{ state: 'RUNNING' }] });
    log.write({ kind: 'tasks.released', tasks: [id] });
    expect(connectorStatus(log.state, reports, 'a')?.tasks).toEqual([]);
  });

  it('ignores a report that is older than the last', () => {
    const { log, generation } = assigned();
    const view = heard(report(generation, 'FAILED', { reportSeq: 9 }), report(generation, 'RUNNING', { reportSeq: 8 }));
    expect(taskStatus(log.state, view, id)?.state).toBe('FAILED');
  });
});

describe('status of a connector', () => {
  it('is RUNNING with its tasks held, PAUSED by its target, and names the worker', () => {
    const { log, generation } = assigned();
    const reports = heard(report(generation, 'RUNNING'));
    const status = connectorStatus(log.state, reports, 'a');
    expect(status).toMatchObject({ name: 'a', type: 'source', state: 'RUNNING', workerId: 'w1', version: '1.2.3' });
    log.write({ kind: 'connector.target', name: 'a', targetState: 'PAUSED' });
    expect(connectorStatus(log.state, reports, 'a')?.state).toBe('PAUSED');
  });

  it('is COMPLETED once all its tasks are, unless it is paused, stopped or has a config that is not split', () => {
    const { log, generation } = assigned();
    log.split('a', 2);
    const second = log.assign('a', 1, 'w1');
    const stateOf = (): string | undefined => connectorStatus(log.state, none, 'a')?.state;
    log.write({ kind: 'tasks.completed', tasks: [{ ...id, generation, at: 7 }] });
    expect(stateOf()).toBe('RUNNING');
    log.write({ kind: 'tasks.completed', tasks: [{ ...id, index: 1, generation: second, at: 8 }] });
    expect(stateOf()).toBe('COMPLETED');
    log.write({ kind: 'member.left', nodeId: 'w1', incarnation: 'w1#1', reason: 'expired' });
    expect(connectorStatus(log.state, none, 'a')).toMatchObject({ state: 'COMPLETED', workerId: 'c1', tasks: [{ workerId: 'w1' }, {}] });
    expect(connectorStatus(log.state, none, 'a')).not.toHaveProperty('reason');
    log.write({ kind: 'connector.target', name: 'a', targetState: 'PAUSED' });
    expect(stateOf()).toBe('PAUSED');
    log.write({ kind: 'connector.put', name: 'a', type: 'source', config: {}, targetState: 'RUNNING' });
    expect(stateOf()).toBe('UNASSIGNED');
    log.write({ kind: 'connector.target', name: 'a', targetState: 'STOPPED' });
    expect(connectorStatus(log.state, none, 'a')).toMatchObject({ state: 'STOPPED', tasks: [] });
  });

  it('is UNASSIGNED before it was split', () => {
    const log = LogWriter.started();
    log.write({ kind: 'connector.put', name: 'a', type: 'source', config: {}, targetState: 'RUNNING' });
    expect(connectorStatus(log.state, none, 'a')).toMatchObject({ state: 'UNASSIGNED', workerId: 'c1', tasks: [] });
    expect(connectorStatus(log.state, none, 'b')).toBeUndefined();
  });

  it('is FAILED with the trace when it could not be split', () => {
    const log = LogWriter.started();
    const configVersion = log.write({
      kind: 'connector.put',
      name: 'a',
      type: 'source',
      config: {},
      targetState: 'RUNNING',
    });
    log.write({ kind: 'tasks.failed', name: 'a', configVersion, error: 'no such file' });
    expect(connectorStatus(log.state, none, 'a')).toMatchObject({ state: 'FAILED', trace: 'no such file' });
  });
});

describe("status of a connector's instance", () => {
  const withInstance = (generation: number, instance: InstanceReport, state: RunState = 'RUNNING'): ReportsView => {
    const { tasks, ...node } = report(generation, state);
    return heard({ ...node, tasks: tasks.map((task) => ({ ...task, instance })) });
  };

  it.each<[InstanceReport, string, string | undefined]>([
    [{ state: 'RUNNING' }, 'RUNNING', undefined],
    [{ state: 'RESTARTING' }, 'RUNNING', undefined],
    [{ state: 'RESTARTING', trace: 'Error: down' }, 'RESTARTING', 'Error: down'],
    [{ state: 'FAILED', trace: 'Error: gone' }, 'FAILED', 'Error: gone'],
  ])('has a connector with instance %j be %s', (instance, state, trace) => {
    const { log, generation } = assigned();
    const status = connectorStatus(log.state, withInstance(generation, instance), 'a');
    expect(status).toMatchObject({ state, instance, tasks: [{ state: 'RUNNING' }] });
    expect(status?.trace).toBe(trace);
  });

  it('stays FAILED while paused, is STOPPED when stopped, and ends with the generation that it had', () => {
    const { log, generation } = assigned();
    const failed = withInstance(generation, { state: 'FAILED', trace: 'Error: gone' });
    log.write({ kind: 'connector.target', name: 'a', targetState: 'PAUSED' });
    expect(connectorStatus(log.state, failed, 'a')?.state).toBe('FAILED');
    expect(connectorStatus(log.state, withInstance(generation, { state: 'RESTARTING', trace: 'x' }), 'a')?.state).toBe('PAUSED');
    log.write({ kind: 'connector.target', name: 'a', targetState: 'STOPPED' });
    expect(connectorStatus(log.state, failed, 'a')?.state).toBe('STOPPED');
    log.write({ kind: 'connector.target', name: 'a', targetState: 'RUNNING' });
    log.write({ kind: 'tasks.released', tasks: [id] });
    log.assign('a', 0, 'w1');
    expect(connectorStatus(log.state, failed, 'a')).toMatchObject({ state: 'RUNNING' });
    expect(connectorStatus(log.state, failed, 'a')).not.toHaveProperty('instance');
  });

  it('shows why it could not be split before what its instance says', () => {
    const { log, generation } = assigned();
    const config = { 'connector.class': 'FileSource' };
    const configVersion = log.write({ kind: 'connector.put', name: 'a', type: 'source', config, targetState: 'RUNNING' });
    log.write({ kind: 'tasks.failed', name: 'a', configVersion, error: 'no such file' });
    const status = connectorStatus(log.state, withInstance(generation, { state: 'FAILED', trace: 'Error: gone' }), 'a');
    expect(status).toMatchObject({ state: 'FAILED', trace: 'no such file' });
  });
});

describe('what nobody runs', () => {
  const placed = (config: Readonly<Record<string, string>>): LogWriter => {
    const log = LogWriter.started();
    log.join('w1');
    const full = { 'connector.class': 'FileSource', ...config };
    log.write({ kind: 'connector.put', name: 'a', type: 'source', config: full, targetState: 'RUNNING' });
    log.split('a', 1);
    return log;
  };

  it.each([
    [{ 'connector.class': 'Other' }, 'no-plugin', 'No worker of role source-runner has plugin Other.'],
    [{ 'placement.zone': 'b' }, 'no-labels', 'No worker of role source-runner has plugin FileSource and labels {zone: b}.'],
  ])('explains with %j: %s', (config, code, message) => {
    const { state } = placed(config);
    const reason = { code, message };
    expect(taskStatus(state, none, id)).toMatchObject({ state: 'UNASSIGNED', reason });
    expect(connectorStatus(state, none, 'a')).toMatchObject({ state: 'UNASSIGNED', reason, tasks: [{ reason }] });
  });

  it('follows who joins and who is drained', () => {
    const log = placed({});
    expect(taskStatus(log.state, none, id)).not.toHaveProperty('reason');
    log.write({ kind: 'drain.started', nodeId: 'w1' });
    expect(taskStatus(log.state, none, id)?.reason?.code).toBe('all-draining');
    log.join('w2');
    expect(taskStatus(log.state, none, id)).not.toHaveProperty('reason');
    log.write({ kind: 'connector.target', name: 'a', targetState: 'STOPPED' });
    expect(connectorStatus(log.state, none, 'a')).not.toHaveProperty('reason');
  });
});
