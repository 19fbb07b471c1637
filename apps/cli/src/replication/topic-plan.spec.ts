import { describe, expect, it } from '@jest/globals';
import type { RocketMqClient } from '@sluice/rocketmq';
import { planAsText, planFlow } from './topic-plan.js';

const clientOf = (topics: readonly string[], brokerName: string): RocketMqClient =>
  ({
    admin: { listTopics: () => Promise.resolve(topics), clusterInfo: () => Promise.resolve({ brokers: [{ brokerName, cluster: 'c' }] }) },
  }) as unknown as RocketMqClient;

const SOURCE = clientOf(['orders', 'orders-test', 'bills', 'TBW102', 'broker-a', '%RETRY%g', 'sluice-c-log'], 'broker-a');
const TARGET = clientOf([], 'broker-b');

describe('the plan of a flow', () => {
  it('shows what is copied as what, and why the rest is not', async () => {
    const settings = { topics: 'bills,later', 'topics.regex': 'orders.*', 'topics.exclude': '.*-test', 'topic.rename': 'a-${topic}' };
    expect(planAsText(await planFlow(SOURCE, TARGET, settings))).toEqual([
      '2 of 8 topics are copied:',
      '  bills -> a-bills (named)',
      '  orders -> a-orders (matched)',
      'Left out:',
      '  %RETRY%g: retries of a group; topics.include.retry takes them',
      "  TBW102: RocketMQ's own",
      "  broker-a: RocketMQ's own",
      '  later: the source does not have it yet',
      '  orders-test: topics.exclude',
      "  sluice-c-log: Sluice's own",
    ]);
  });

  it.each([
    [{ 'topics.regex': '(' }, 'topics.regex is "(": '],
    [{ topics: 'a', 'topics.exclude': '[' }, 'topics.exclude is "[": '],
    [{ topics: 'a', 'topic.rename': 'prefixx' }, 'Did you mean prefix?'],
  ])('refuses %j by name', async (settings, message) => {
    await expect(planFlow(SOURCE, TARGET, settings as never)).rejects.toThrow(message);
  });
});
