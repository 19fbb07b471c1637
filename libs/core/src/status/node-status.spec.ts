import { describe, expect, it } from '@jest/globals';
import type { Report } from '../model/report.js';
import { LogWriter } from '../testing/log-writer.js';
import { nodeStatus, nodeStatuses } from './node-status.js';
import { LatestReports, type ReportsView } from './reports-view.js';

const none: ReportsView = new Map();
const drained = { kind: 'drain.started', nodeId: 'w1' } as const;

function reportOf(nodeId: string, change: Partial<Report> = {}): Report {
  return {
    nodeId,
    incarnation: `${nodeId}#1`,
    role: 'source-runner',
    reportSeq: 1,
    sentAt: 0,
    leaving: false,
    capacity: 1,
    plugins: [],
    appliedSeq: 3,
    tasks: [],
    ...change,
  };
}

function withTask(): LogWriter {
  const log = LogWriter.started();
  log.join('w1');
  log.join('w2');
  log.connector('a', 1);
  log.assign('a', 0, 'w1');
  return log;
}

/** The view of those who heard these reports. */
function heard(...reports: readonly Report[]): ReportsView {
  const latest = new LatestReports();
  for (const each of reports) latest.take(each);
  return latest.view;
}

const stateOf = (log: LogWriter, reports = none): string | undefined => nodeStatus(log.state, reports, 'w1')?.state;

describe('nodes', () => {
  it('are live with the tasks that the log gives them and with their last report', () => {
    const { state } = withTask();
    const reports = heard(reportOf('w1'));
    const [w1, w2] = nodeStatuses(state, reports);
    expect(w1).toMatchObject({ nodeId: 'w1', state: 'live', isDraining: false, report: { appliedSeq: 3 } });
    expect(w1?.tasks.map(({ id }) => id)).toEqual([{ connector: 'a', index: 0 }]);
    expect(w2).toMatchObject({ nodeId: 'w2', state: 'live', tasks: [] });
    expect(w2).not.toHaveProperty('report');
    expect(nodeStatus(state, reports, 'w3')).toBeUndefined();
  });

  it('are suspected until they are cleared, and leaving once they say so', () => {
    const log = withTask();
    log.write({ kind: 'member.suspected', nodeId: 'w1', incarnation: 'w1#1' });
    expect(stateOf(log)).toBe('suspected');
    log.write({ kind: 'member.cleared', nodeId: 'w1', incarnation: 'w1#1' });
    expect(stateOf(log)).toBe('live');
    expect(stateOf(log, heard(reportOf('w1', { leaving: true })))).toBe('leaving');
  });

  it('are draining while they hold a task, then drained', () => {
    const log = withTask();
    log.write(drained);
    expect(nodeStatus(log.state, none, 'w1')).toMatchObject({ state: 'draining', isDraining: true });
    const tasks = [{ connector: 'a', index: 0 }];
    log.write({ kind: 'tasks.revoked', tasks, reason: 'moved' });
    expect(stateOf(log)).toBe('draining');
    log.write({ kind: 'tasks.released', tasks });
    expect(stateOf(log)).toBe('drained');
    log.write({ kind: 'drain.ended', nodeId: 'w1' });
    expect(stateOf(log)).toBe('live');
  });

  it('are gone with the incarnation and the time of their last departure, and live again when they are back', () => {
    const log = withTask();
    log.write(drained, { kind: 'member.left', nodeId: 'w1', incarnation: 'w1#1', reason: 'expired' });
    log.join('w1', 'source-runner', 'w1#2');
    log.at += 5_000;
    log.write({ kind: 'member.left', nodeId: 'w1', incarnation: 'w1#2', reason: 'leaving' });
    expect(nodeStatus(log.state, none, 'w1')).toEqual({
      nodeId: 'w1',
      state: 'gone',
      isDraining: true,
      isLeader: false,
      incarnation: 'w1#2',
      goneSince: log.at,
      tasks: [],
    });
    log.join('w1', 'source-runner', 'w1#3');
    expect(nodeStatus(log.state, none, 'w1')).toMatchObject({ state: 'drained', incarnation: 'w1#3' });
  });

  it('tell the leader until it resigns', () => {
    const log = withTask();
    log.write({
      kind: 'member.joined',
      member: { nodeId: 'c1', incarnation: 'c1#1', role: 'coordinator', capacity: 1, plugins: [] },
    });
    expect(nodeStatuses(log.state, none).map(({ nodeId, isLeader }) => [nodeId, isLeader])).toEqual([
      ['c1', true],
      ['w1', false],
      ['w2', false],
    ]);
    log.write({ kind: 'leader.resigned' });
    expect(nodeStatus(log.state, none, 'c1')?.isLeader).toBe(false);
  });
});
