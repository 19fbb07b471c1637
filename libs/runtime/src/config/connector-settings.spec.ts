import { describe, expect, it } from '@jest/globals';
import { JavaPattern } from '@sluice/transforms';
import { parseSinkSettings, parseSourceSettings } from './connector-settings.js';
import { rateLimitsOf, sinkLoopSettings, sourceLoopSettings, subscriptionOf, topicCreationOf } from './loop-settings.js';

const base = { name: 'c', 'connector.class': 'X' };
const counted = { 'sluice.task.count': '3' };
const share = { index: 1, count: 3, granularity: 'queue', moved: { taken: new Set(), given: new Set() } };

describe('settings of sources', () => {
  it('have defaults for all but name and class', () => {
    const settings = parseSourceSettings(base);
    expect(sourceLoopSettings(settings)).toEqual({
      flushIntervalMs: 1000,
      maxBatchBytes: 1024 * 1024,
      maxBufferedBytes: 16 * 1024 * 1024,
      maxBufferedRecords: 50_000,
      shutdownTimeoutMs: 5000,
      retryTimeoutMs: undefined,
      backoff: { initialMs: 300, maxMs: 60_000 },
      skipsBadRecords: false,
      errors: { logs: true, logsContents: false, deadLetters: undefined },
      rewriteIntervalMs: 3_600_000,
      maxUnavailableMs: 300_000,
    });
    expect(topicCreationOf(settings)).toEqual({ queues: 8 });
    expect(settings['tasks.max']).toBe(1);
  });

  it('reach the loop', () => {
    const settings = parseSourceSettings({
      ...base,
      'producer.batch.bytes': '2048',
      'offset.flush.interval.ms': '50',
      'task.shutdown.timeout.ms': '700',
      'errors.retry.timeout': '0',
      'errors.retry.delay.max.ms': '100',
      'errors.tolerance': 'all',
      'errors.log.enable': 'false',
      'errors.log.include.messages': 'true',
      'errors.deadletterqueue.topic.name': 'dead',
      'errors.deadletterqueue.context.properties.enable': 'true',
      'topic.creation.default.partitions': '3',
      'own.setting': 'is ignored',
    });
    expect(sourceLoopSettings(settings)).toMatchObject({
      maxBatchBytes: 2048,
      flushIntervalMs: 50,
      shutdownTimeoutMs: 700,
      retryTimeoutMs: 0,
      backoff: { initialMs: 100, maxMs: 100 },
      skipsBadRecords: true,
      errors: { logs: false, logsContents: true, deadLetters: { topic: 'dead', hasContext: true } },
    });
    const intolerant = parseSourceSettings({ ...base, 'errors.deadletterqueue.topic.name': 'dead' });
    expect(sourceLoopSettings(intolerant).errors.deadLetters).toBeUndefined();
    expect(topicCreationOf(settings)).toEqual({ queues: 3 });
    expect(topicCreationOf(parseSourceSettings({ ...base, 'topic.creation.enable': 'false' }))).toBeUndefined();
  });

  it('can be written under their other names', () => {
    const settings = parseSourceSettings({ name: 'c', 'connector-class': 'X', 'max.tasks': '4' });
    expect(settings).toMatchObject({ 'connector.class': 'X', 'tasks.max': 4 });
  });

  it.each([
    ['tasks.max', '0'],
    ['tasks.max', '1001'],
    ['errors.tolerance', 'some'],
    ['errors.retry.timeout', '-2'],
    ['producer.batch.bytes', String(4 * 1024 * 1024)],
    ['topic.creation.default.partitions', '0'],
  ])('are refused when %s is %s', (name, value) => {
    expect(() => parseSourceSettings({ ...base, [name]: value })).toThrow(`for configuration ${name}`);
  });
});

describe('settings of sinks', () => {
  it('reach the loop', () => {
    const settings = parseSinkSettings({ ...base, topics: 'a', 'consumer.offset.reset': 'latest' });
    expect(sinkLoopSettings(settings)).toMatchObject({
      offsetReset: 'latest',
      flushIntervalMs: 1000,
      refreshIntervalMs: 4000,
    });
    expect(sinkLoopSettings(parseSinkSettings({ ...base, topics: 'a' })).offsetReset).toBe('earliest');
  });

  it('limit rates, of records and of bytes', () => {
    const limits = { 'rate.limit.records.per.second': '10', 'rate.limit.bytes.per.second': '3000000000' };
    expect(rateLimitsOf({ ...base, ...limits })).toEqual({ records: 10, bytes: 3_000_000_000 });
    expect(rateLimitsOf(base)).toEqual({ records: undefined, bytes: undefined });
    for (const name of Object.keys(limits)) {
      expect(() => parseSinkSettings({ ...base, topics: 'a', [name]: '0' })).toThrow(`for configuration ${name}`);
    }
  });

  it.each(['topics', 'connect.topicnames'])('name topics in %s, each counted once', (name) => {
    const settings = parseSinkSettings({ ...base, [name]: 'a, b;a' });
    expect(subscriptionOf(settings, counted, 1)).toEqual({ topics: { kind: 'names', names: ['a', 'b'] }, share });
  });

  it("ignore case in a pattern that begins with Java's (?i)", () => {
    const { topics } = subscriptionOf(parseSinkSettings({ ...base, 'topics.regex': '(?i)orders-.*' }), counted, 1);
    expect(topics).toMatchObject({ kind: 'pattern', pattern: { text: '(?i)orders-.*' } });
    expect(topics.kind === 'pattern' && topics.pattern.matches('ORDERS-1')).toBe(true);
  });

  it('name topics by a pattern', () => {
    const settings = parseSinkSettings({ ...base, 'topics.regex': 'orders-.*' });
    expect(subscriptionOf(settings, counted, 1)).toEqual({ topics: { kind: 'pattern', pattern: new JavaPattern('orders-.*') }, share });
  });

  it.each([
    [{}, 'Must configure one of topics or topics.regex'],
    [{ topics: ' , ' }, 'Must configure one of topics or topics.regex'],
    [{ topics: 'a', 'topics.regex': 'a.*' }, 'topics and topics.regex are mutually exclusive options, but both are set.'],
    [{ 'topics.regex': '(' }, 'Invalid value ( for configuration topics.regex: Must be a valid regular expression'],
    [{ 'topics.regex': 'a++(?s)' }, 'the possessive quantifier ++ is not supported; rewrite the pattern without it'],
  ])('are refused with topics given as %p', (topics, message) => {
    expect(() => parseSinkSettings({ ...base, ...topics })).toThrow(message);
  });
});
