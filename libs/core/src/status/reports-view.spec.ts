import { describe, expect, it } from '@jest/globals';
import type { Report } from '../model/report.js';
import { LogWriter } from '../testing/log-writer.js';
import { LatestReports } from './reports-view.js';

function reportOf(nodeId: string, reportSeq: number): Report {
  const incarnation = `${nodeId}#1`;
  const told = { role: 'source-runner', sentAt: 0, leaving: false, capacity: 1, plugins: [], appliedSeq: 3, tasks: [] };
  return { nodeId, incarnation, reportSeq, ...told } as Report;
}

const seqs = (latest: LatestReports): readonly number[] => [...latest.view.values()].map(({ reportSeq }) => reportSeq);

describe('the latest reports', () => {
  it('are those with the highest number of each incarnation', () => {
    const latest = new LatestReports();
    for (const seq of [3, 5, 4]) latest.take(reportOf('w1', seq));
    latest.take(reportOf('w2', 1));
    expect(seqs(latest)).toEqual([5, 1]);
  });

  it('leave every view as it was when it was looked at', () => {
    const log = LogWriter.started();
    log.join('w1');
    const latest = new LatestReports();
    latest.take(reportOf('w1', 1));
    const first = latest.view;
    latest.take(reportOf('w1', 2));
    latest.take(reportOf('w2', 1));
    const second = latest.view;
    latest.take(reportOf('w1', 3));
    log.write({ kind: 'member.left', nodeId: 'w1', incarnation: 'w1#1', reason: 'expired' });
    latest.forgetDeparted(log.state);
    const told = [first, second, latest.view].map((view) => [...view].map(([key, { reportSeq }]) => [key, reportSeq]));
    expect(told).toEqual([
      [['w1@w1#1', 1]],
      [
        ['w1@w1#1', 2],
        ['w2@w2#1', 1],
      ],
      [['w2@w2#1', 1]],
    ]);
  });

  it('are not copied for each report', () => {
    const latest = new LatestReports();
    latest.take(reportOf('w1', 1));
    const { view } = latest;
    expect(latest.view).toBe(view);
    latest.take(reportOf('w1', 1));
    expect(latest.view).toBe(view);
  });
});
