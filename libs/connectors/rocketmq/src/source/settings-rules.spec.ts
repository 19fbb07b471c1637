import { describe, expect, it } from '@jest/globals';
import { isConfigError, requireConfig, type TaskConfig } from '@sluice/sdk';
import { rocketMqSource } from './rocketmq-source.connector.js';
import { rocketMqSourceSpec } from '../flow/settings.js';
import { planOf } from '../flow/topic-choice.js';

const BASE: TaskConfig = { 'source.cluster.url': 'rocketmq://a:9876', 'data.cluster.url': 'rocketmq://b:9876', topics: 't' };

async function errorsOf(config: TaskConfig): Promise<readonly string[]> {
  try {
    const errors = await rocketMqSource.validate?.(config, new AbortController().signal);
    return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
  } catch (error) {
    if (isConfigError(error)) return error.errors.map(({ field, message }) => `${field}: ${message}`);
    throw error;
  }
}

describe('the settings of the source', () => {
  it('are right with the two clusters and topics', async () => {
    expect(await errorsOf(BASE)).toEqual([]);
  });

  it.each<[TaskConfig, RegExp]>([
    [{ topics: '' }, /^topics: Either topics or topics\.regex must be given/],
    [{ 'data.cluster.url': '' }, /^data\.cluster\.url: Missing required configuration "data\.cluster\.url"/],
    [{ 'topics.regex': 'a(' }, /^topics\.regex: Invalid value a\( .*Java's syntax/],
    [{ 'topics.exclude': 'ok,b[' }, /^topics\.exclude: Invalid value b\[ /],
    [{ 'topic.rename': 'prefx' }, /^topic\.rename: .*Did you mean prefix\?/],
    [{ 'topic.rename': 'prefix' }, /^topic\.rename\.prefix: /],
    [{ 'start.from': 'timestamp' }, /^start\.timestamp: Configuration start\.timestamp is missing: start\.from is timestamp/],
    [{ 'start.timestamp': '1' }, /^start\.timestamp: .* has no effect with start\.from=earliest: allowed with it is timestamp/],
    [{ 'start.from': 'offsets', 'start.offsets': 't@b:0' }, /^start\.offsets: Invalid value t@b:0 .*topic@broker:queue=offset/],
    [{ 'start.from': 'offsets', 'start.offsets': 't@b:0=1,t@b:0=2' }, /^start\.offsets: .*Each queue may be named once/],
    [{ 'source.cluster.access.key': 'k' }, /^source\.cluster\.secret\.key: /],
    [{ 'start.from': 'newest' }, /^start\.from: Invalid value newest/],
    [{ 'born.time': 'now' }, /^born\.time: Invalid value now/],
  ])('are refused with %j', async (more, told) => {
    const errors = await errorsOf({ ...BASE, ...more });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(told);
  });
});

describe('the plan of topics', () => {
  const planned = (config: TaskConfig, topics: readonly string[]): readonly string[] => {
    const settings = requireConfig('test', rocketMqSourceSpec, { ...BASE, ...config }, { unknownKeys: 'ignore' });
    const servers = new Set<string>();
    return planOf(settings, { topics, sourceServers: servers, targetServers: servers }).flatMap(({ topic, target }) =>
      target === undefined ? [] : [`${topic}>${target}`],
    );
  };
  const SEEN = ['orders-1', 'orders-2', 'orders-test', 'other', '%RETRY%g', 'sluice-x-log'];

  it('takes what matches as a whole, in the syntax of Java, but for what is excluded by name or pattern', () => {
    const regex = { topics: '', 'topics.regex': 'orders-\\p{Alnum}+' };
    expect(planned(regex, SEEN)).toEqual(['orders-1>orders-1', 'orders-2>orders-2', 'orders-test>orders-test']);
    expect(planned({ ...regex, 'topics.exclude': 'orders-2,.*-te?st' }, SEEN)).toEqual(['orders-1>orders-1']);
    const barred = { topics: '', 'topics.regex': '.*', 'topics.exclude': 'a|b' };
    expect(planned(barred, ['a|b', 'a', 'c'])).toEqual(['c>c']);
  });

  it('leaves out topics of groups and of Sluice unless they are asked for', () => {
    expect(planned({ topics: '', 'topics.regex': '.*' }, SEEN)).toHaveLength(4);
    expect(planned({ topics: '', 'topics.regex': '.*', 'topics.include.retry': 'true' }, SEEN)).toContain('%RETRY%g>%RETRY%g');
  });

  it('renames them', () => {
    expect(planned({ topics: 'other', 'topic.rename': 'prefix', 'topic.rename.prefix': 'east-' }, SEEN)).toEqual(['other>east-other']);
    expect(planned({ topics: 'other', 'topic.rename': 'a-${topic}-b' }, SEEN)).toEqual(['other>a-other-b']);
  });
});
