import { describe, expect, it } from '@jest/globals';
import type { SourceProblemPolicy } from '@sluice/replication';
import type { RocketMqClient } from '@sluice/rocketmq';
import { QueueStart } from './queue-start.js';

function startWith(policy: SourceProblemPolicy): { readonly start: QueueStart; readonly reports: readonly string[] } {
  const reports: string[] = [];
  const start = new QueueStart({
    client: {} as RocketMqClient,
    group: 'g',
    queue: { topic: 't', brokerName: 'b', queueId: 1 },
    position: { offset: 3 },
    policy,
    report: (text) => reports.push(text),
  });
  return { start, reports };
}

describe('a queue that the source has no more', () => {
  it('fails with its name, offsets and count, where the policy is to fail', () => {
    const { start, reports } = startWith('fail');
    expect(() => {
      start.lost('(topic-gone): no broker has the topic', 10);
    }).toThrow(
      /^Queue t@b:1 of the source is missing \(topic-gone\).*From offset 3 to 10, 7 message\(s\) were not read.*source\.change\.policy/,
    );
    expect(reports).toEqual([]);
  });

  it.each(['resume-from-earliest', 'skip-and-report'] as const)('is reported with %s', (policy) => {
    const { start, reports } = startWith(policy);
    start.lost('(topic-gone): no broker has the topic', 2);
    expect(reports).toEqual([expect.stringMatching(/^Queue t@b:1 .*From offset 3 to 3, 0 message\(s\) were not read\. It is read on if/)]);
  });

  it('says that the number is unknown where nobody has said where it ended', () => {
    const { start, reports } = startWith('skip-and-report');
    start.lost('(topic-gone): no broker has the topic', undefined);
    expect(reports).toEqual([expect.stringMatching(/It was read up to offset 3, and nobody knows how many messages followed/)]);
  });
});
