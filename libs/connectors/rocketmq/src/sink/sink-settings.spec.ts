import { describe, expect, it } from '@jest/globals';
import { isConfigError, type TaskConfig } from '@sluice/sdk';
import { sinkTopicSettings } from '../flow/sink-settings.js';
import { rocketMqSink } from './rocketmq-sink.connector.js';

const BASE: TaskConfig = { 'target.cluster.url': 'rocketmq://a:9876', 'data.cluster.url': 'rocketmq://b:9876', topics: 't' };

async function errorsOf(config: TaskConfig): Promise<readonly string[]> {
  try {
    const errors = await rocketMqSink.validate?.(config, new AbortController().signal);
    return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
  } catch (error) {
    if (isConfigError(error)) return error.errors.map(({ field, message }) => `${field}: ${message}`);
    throw error;
  }
}

describe('the settings of the sink', () => {
  it('are right with the two clusters and topics', async () => {
    expect(await errorsOf(BASE)).toEqual([]);
    expect(await errorsOf({ ...BASE, topics: '', 'topics.regex': 'a.*', 'task.granularity': 'topic' })).toEqual([]);
  });

  it.each<[TaskConfig, RegExp]>([
    [
      { 'data.cluster.url': '' },
      /^data\.cluster\.url: Missing required configuration "data\.cluster\.url": it names the cluster whose topics/,
    ],
    [{ 'target.cluster.url': 'rocketmq+grpc://a:8081' }, /^target\.cluster\.url: .*rocketmq:\/\//],
    [{ 'target.cluster.access.key': 'k' }, /^target\.cluster\.secret\.key: /],
    [{ 'topic.rename': 'prefx' }, /^topic\.rename: .*Did you mean prefix\?/],
    [{ 'topic.rename': 'prefix' }, /^topic\.rename\.prefix: /],
    [{ 'born.time': 'now' }, /^born\.time: Invalid value now/],
    [{ 'start.from': 'latest' }, /^start\.from: .*one of RocketMQSource .*consumer\.offset\.reset/],
    [{ 'source.cluster.url': 'rocketmq://c:1' }, /^source\.cluster\.url: .*data\.cluster\.url names the cluster that a sink copies/],
    [{ 'topics.exclude': 'x' }, /^topics\.exclude: .*topics or topics\.regex say what a sink copies/],
    [{ 'source.group': 'x' }, /^source\.group: .*consumer group of the sink/],
  ])('are refused with %j', async (more, told) => {
    const errors = await errorsOf({ ...BASE, ...more });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(told);
  });

  it('choose topics as every sink does, and rename them', () => {
    expect(sinkTopicSettings({ ...BASE, topics: 'a;b,c', 'topic.rename': 'x-${topic}' })).toMatchObject({
      topics: ['a', 'b', 'c'],
      'topic.rename': 'x-${topic}',
      'topics.exclude': [],
    });
  });
});
