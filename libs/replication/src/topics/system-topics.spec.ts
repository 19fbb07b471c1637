import { describe, expect, it } from '@jest/globals';
import { systemTopicKind } from './system-topics.js';

const SERVERS = new Set(['DefaultCluster', 'broker-a']);

describe('systemTopicKind', () => {
  it.each([
    'TBW102',
    'SCHEDULE_TOPIC_XXXX',
    'BenchmarkTest',
    'RMQ_SYS_TRANS_HALF_TOPIC',
    'RMQ_SYS_TRANS_OP_HALF_TOPIC',
    'RMQ_SYS_TRACE_TOPIC',
    'rmq_sys_TRACE_DATA_DefaultRegion',
    'rmq_sys_wheel_timer',
    'rmq_sys_REVIVE_LOG_DefaultCluster',
    'rmq_sys_SYNC_BROKER_MEMBER_broker-a',
    'TRANS_CHECK_MAX_TIME_TOPIC',
    'SELF_TEST_TOPIC',
    'OFFSET_MOVED_EVENT',
    'CHECKPOINT_TOPIC',
    'DefaultCluster',
    'broker-a',
    'DefaultCluster_REPLY_TOPIC',
    '%LMQ%light',
    '__syslo__global__',
  ])("takes %s for RocketMQ's own", (topic) => {
    expect(systemTopicKind(topic, SERVERS)).toBe('rocketmq');
  });

  it.each([
    ['%RETRY%group', 'retry'],
    ['%RETRY%INST%group', 'retry'],
    ['%RETRY%group_topic', 'retry'],
    ['%DLQ%group', 'dead-letter'],
    ['sluice-c-log', 'sluice'],
    ['sluice-identity-1a', 'sluice'],
  ])('takes %s for %s', (topic, kind) => {
    expect(systemTopicKind(topic, SERVERS)).toBe(kind);
  });

  it.each(['orders', 'INST%orders', 'broker-b', 'my_REPLY_TOPIC', 'BenchmarkTest2', 'my-TBW102', 'x-sluice-y', 'TopicTest', 'a%RETRY%b'])(
    'leaves %s to users',
    (topic) => {
      expect(systemTopicKind(topic, SERVERS)).toBeUndefined();
    },
  );
});
