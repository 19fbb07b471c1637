import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { ALIAS_RULES } from './alias-rules.js';
import { readReplicatorAliases } from './replicator-aliases.js';

describe('readReplicatorAliases', () => {
  it('reads the settings of a replicator of 2.0', () => {
    const config = {
      name: 'east',
      'connector.class': 'RocketMQSourceConnector',
      'max.tasks': '2',
      'src.cloud': 'c1',
      'src.region': 'r1',
      'src.cluster': 'A',
      'src.endpoint': 'ns1:9876;ns2:9876',
      'src.topictags': 'orders,*;payments',
      'src.acl.enable': 'true',
      'src.access.key': 'reader',
      'src.secret.key': 'secret-1',
      'dest.cloud': 'c2',
      'dest.region': 'r2',
      'dest.cluster': 'B',
      'dest.endpoint': 'ns3:9876',
      'dest.acl.enable': 'false',
      'sync.tps': '500',
      consumefromwhere: 'CONSUME_FROM_FIRST_OFFSET',
      'request.task.reconfig.ms': '30000',
      'enable.checkpoint': 'true',
      'sync.gids': 'g1,g2',
      'enable.retrysync': 'false',
    };
    const { settings, refusals, notes } = readReplicatorAliases(config);
    expect(refusals).toEqual([]);
    expect(settings).toEqual({
      name: 'east',
      'connector.class': 'RocketMQSourceConnector',
      'max.tasks': '2',
      'source.cluster.url': 'rocketmq://ns1:9876,ns2:9876',
      'source.cluster.access.key': 'reader',
      'source.cluster.secret.key': 'secret-1',
      'data.cluster.url': 'rocketmq://ns3:9876',
      topics: 'orders,payments',
      'rate.limit.records.per.second': '500',
      'start.from': 'earliest',
      'topics.refresh.interval.ms': '30000',
      'sync.offsets': 'true',
      groups: 'g1,g2',
      'topics.include.retry': 'false',
    });
    expect(notes.map((text) => text.split(':')[0])).toEqual([
      'src.acl.enable',
      'dest.acl.enable',
      'src.cloud',
      'src.region',
      'src.cluster',
      'dest.cloud',
      'dest.region',
      'dest.cluster',
    ]);
  });

  it('reads the settings of the older replicator', () => {
    const { settings, refusals } = readReplicatorAliases({
      'source-rocketmq': 'ns1:9876',
      'target-rocketmq': 'ns2:9876',
      'source-cluster': 'DefaultCluster',
      'replicator-store-topic': 'store',
      'white-list': 'order.*, pay',
      'source-record-converter': 'x',
      'task-divide-strategy': '1',
      'topic.rename.format': '${topic}-copy',
      'refresh.interval': '3',
      'data-type': '0',
    });
    expect(refusals).toEqual([]);
    expect(settings).toEqual({
      'source.cluster.url': 'rocketmq://ns1:9876',
      'data.cluster.url': 'rocketmq://ns2:9876',
      'topics.regex': '(?:order.*)|(?:pay)',
      'task.granularity': 'topic',
      'topic.rename': '${topic}-copy',
      'topics.refresh.interval.ms': '3000',
    });
  });

  it.each([
    [
      { 'src.topictags': 'orders', 'dest.topic': 'east-orders-1' },
      { topics: 'orders', 'topic.rename': 'east-${topic}-1' },
    ],
    [{ 'src.topictags': 'orders', 'dest.topic': 'orders' }, { topics: 'orders' }],
    [{ 'src.topictags': 'orders;%RETRY%g', 'src.instanceid': 'I', 'dest.instanceid': 'I' }, { topics: 'I%orders,%RETRY%g' }],
    [{ 'src.topictags': 'orders', 'src.retrygids': 'g1, g2', 'dest.dlqgids': 'g1' }, { topics: 'orders,%RETRY%g1,%RETRY%g2,%DLQ%g1' }],
    [{ consumefromwhere: 'CONSUME_FROM_LAST_OFFSET' }, { 'start.from': 'latest' }],
    [
      { consumefromwhere: 'CONSUME_FROM_TIMESTAMP', consumefromtimestamp: '1700000000000' },
      { 'start.from': 'timestamp', 'start.timestamp': '1700000000000' },
    ],
    [{ consumefromtimestamp: '1700000000000' }, {}],
    [{ 'divide.strategy': 'BY_QUEUE' }, { 'task.granularity': 'queue' }],
    [{ 'task-divide-strategy': '0' }, { 'task.granularity': 'queue' }],
    [
      { 'checkpoint.interval.ms': '10000', 'enable.dlqsync': 'TRUE' },
      { 'sync.offsets.interval.ms': '10000', 'topics.include.dlq': 'true' },
    ],
    [{ 'src.acl.enable': 'false', 'src.secret.key': 's' }, {}],
    [
      { 'target-acl-enable': 'true', 'target-access-key': 'a', 'target-secret-key': 's' },
      { 'data.cluster.access.key': 'a', 'data.cluster.secret.key': 's' },
    ],
    [{ 'src.endpoint': ' ', 'sync.tps': '' }, {}],
    [{ 'source-group': 'g' }, { 'source.group': 'g' }],
  ])('reads %j', (config, settings) => {
    expect(readReplicatorAliases(config)).toEqual({ settings, refusals: [], notes: expect.any(Array) });
  });

  it.each([
    [{ 'src.topictags': 'orders,TagA' }, 'src.topictags', 'Tag TagA of topic orders cannot be chosen'],
    [{ 'src.topictags': 'a,*,b' }, 'src.topictags', 'topic,tag;topic,tag'],
    [{ 'src.topictags': ';' }, 'src.topictags', 'Must name a topic'],
    [{ 'src.topictags': 'a;b', 'dest.topic': 'c' }, 'dest.topic', 'Several topics are not copied into one'],
    [{ 'src.topictags': 'orders', 'dest.topic': 'x' }, 'dest.topic', 'its own in it'],
    [{ 'src.endpoint': 'http://ns' }, 'src.endpoint', 'host:port;host:port'],
    [{ 'dest.endpoint': 'ns' }, 'dest.endpoint', 'host:port;host:port'],
    [{ 'src.acl.enable': 'true', 'src.access.key': 'a' }, 'src.acl.enable', 'Needs src.secret.key'],
    [{ 'src.acl.enable': 'yes' }, 'src.acl.enable', 'true or false'],
    [{ 'enable.checkpoint': 'on' }, 'enable.checkpoint', 'true or false'],
    [{ 'sync.tps': '0' }, 'sync.tps', 'above 0'],
    [{ 'sync.tps': '1.5' }, 'sync.tps', 'above 0'],
    [{ 'sync.tps': '1e3' }, 'sync.tps', 'above 0'],
    [{ consumefromwhere: 'constructor' }, 'consumefromwhere', 'Must be one of CONSUME_FROM_FIRST_OFFSET'],
    [{ 'src.instanceid': 'I' }, 'src.instanceid', 'dest.instanceid must be equal'],
    [{ 'dest.instanceid': 'I' }, 'dest.instanceid', 'equal to src.instanceid'],
    [{ 'filter.properties': 'a=1' }, 'filter.properties', 'cannot be chosen by properties'],
    [{ 'failover.strategy': 'DISMISS' }, 'failover.strategy', 'errors.tolerance'],
    [{ 'dest.retrytopic': 'x' }, 'dest.retrytopic', 'keep their names'],
    [{ 'divide.strategy': 'BY_HASH' }, 'divide.strategy', 'BY_QUEUE or BY_TOPIC'],
    [{ 'data-type': '4' }, 'data-type', 'COMMON_MESSAGE'],
    [{ 'src.endpoint': 'a:1', 'source.cluster.url': 'rocketmq://b:1' }, 'src.endpoint', 'source.cluster.url is given too, by its own name'],
    [{ 'src.endpoint': 'a:1', 'source-rocketmq': 'b:1' }, 'source-rocketmq', 'source.cluster.url is given too, by src.endpoint'],
    [{ 'src.topictags': 'a', topics: 'b' }, 'src.topictags', 'topics is given too, by its own name'],
  ])('refuses %j', (config: Record<string, string>, field, reason) => {
    const { refusals } = readReplicatorAliases(config);
    expect(refusals).toEqual([{ field, message: expect.stringContaining(reason) }]);
    expect(refusals[0]?.message).toContain(`Invalid value ${config[field]} for configuration ${field}`);
  });

  it('shows no secret', () => {
    const read = readReplicatorAliases({
      'src.acl.enable': 'true',
      'src.access.key': 'a',
      'src.secret.key': 's3cret',
      'source.cluster.secret.key': 'x',
    });
    expect(read.refusals).toEqual([{ field: 'src.secret.key', message: expect.stringContaining('[hidden]') }]);
    expect(JSON.stringify([read.refusals, read.notes])).not.toContain('s3cret');
  });

  it('accepts nothing silently: each setting sets, is noted, or is refused', () => {
    for (const name of Object.keys(ALIAS_RULES)) {
      const { settings, refusals, notes } = readReplicatorAliases({ [name]: 'x' });
      expect({ name, answers: Object.keys(settings).length + refusals.length + notes.length }).toEqual({ name, answers: 1 });
      expect(Object.keys(settings)).not.toContain(name);
    }
  });

  it('leaves all other settings as they are', () => {
    const other = fc.string().filter((name) => !Object.hasOwn(ALIAS_RULES, name) && !['__proto__', 'source.cluster.url'].includes(name));
    fc.assert(
      fc.property(fc.dictionary(other, fc.option(fc.string()), { noNullPrototype: true }), (config) => {
        expect(readReplicatorAliases(config).settings).toEqual(config);
        expect(readReplicatorAliases({ ...config, 'src.endpoint': 'a:1' }).settings).toEqual({
          ...config,
          'source.cluster.url': 'rocketmq://a:1',
        });
      }),
    );
  });
});
