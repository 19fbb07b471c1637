import { describe, expect, it } from '@jest/globals';
import type { TaskConfig } from '@sluice/sdk';
import { rocketMqSource } from './rocketmq-source.connector.js';

/** Those that every source has. */
const OF_ALL_SOURCES = ['data.cluster.url', 'data.cluster.access.key', 'data.cluster.secret.key', 'rate.limit.records.per.second'];

/** Settings of both generations that stand for others. */
const GIVEN: readonly TaskConfig[] = [
  {
    'src.endpoint': 'a:9876;b:9876',
    'dest.endpoint': 'c:9876',
    ...{ 'src.acl.enable': 'true', 'src.access.key': 'k', 'src.secret.key': 's' },
    ...{ 'dest.acl.enable': 'true', 'dest.access.key': 'k', 'dest.secret.key': 's' },
    'src.topictags': 'orders,*',
    'dest.topic': 'new-orders',
    'sync.tps': '100',
    consumefromwhere: 'CONSUME_FROM_TIMESTAMP',
    consumefromtimestamp: '1000',
    'request.task.reconfig.ms': '1000',
    ...{ 'enable.checkpoint': 'true', 'checkpoint.interval.ms': '1000', 'sync.gids': 'g' },
    ...{ 'enable.retrysync': 'true', 'enable.dlqsync': 'true', 'divide.strategy': 'BY_TOPIC' },
  },
  {
    'source-rocketmq': 'a:9876',
    'target-rocketmq': 'c:9876',
    ...{ 'source-acl-enable': 'true', 'source-access-key': 'k', 'source-secret-key': 's' },
    ...{ 'target-acl-enable': 'true', 'target-access-key': 'k', 'target-secret-key': 's' },
    'source-group': 'g',
    'task-divide-strategy': '1',
    'white-list': 'a.*,b',
    'topic.rename.format': 'x-${topic}',
    'refresh.interval': '5',
  },
];

describe("the settings of RocketMQ Connect's replicator", () => {
  const known = new Set([...Object.keys(rocketMqSource.spec), ...OF_ALL_SOURCES]);

  it.each(GIVEN)('become settings that the source has, with right values: %#', async (given) => {
    const { settings, errors } = rocketMqSource.translateSettings?.(given) ?? { settings: given, errors: [] };
    expect(errors).toEqual([]);
    expect(Object.keys(settings).filter((name) => !known.has(name))).toEqual([]);
    expect(Object.keys(settings).length).toBeGreaterThan(8);
    expect(await rocketMqSource.validate?.(settings, new AbortController().signal)).toEqual([]);
  });

  it('are refused by name where they would not do what they say', () => {
    const { errors } = rocketMqSource.translateSettings?.({ 'filter.properties': 'a=b', 'src.secret.key': 's' }) ?? { errors: [] };
    expect(errors.map(({ field }) => field)).toContain('filter.properties');
    expect(JSON.stringify(errors)).not.toContain('"s"');
  });
});
