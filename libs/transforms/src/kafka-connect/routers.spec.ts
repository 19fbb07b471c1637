import { describe, expect, it } from '@jest/globals';
import { applied, PLACE, problemsOf, transformOf } from '../testing/run-transform.js';

describe('RegexRouter', () => {
  it.each([
    ['(.*)-(.*)', '$2_$1', 'a-b', 'b_a'],
    ['a', 'x', 'ab', 'ab'],
    ['t*?', 'x', 't', 'xt'],
    ['(?<name>\\w+)', '${name}_copy', 'orders', 'orders_copy'],
    ['%RETRY%(.*)', '$1', '%RETRY%g', 'g'],
  ])('with %s and %s sends records of %s to %s', (regex, replacement, topic, expected) => {
    expect(applied('RegexRouter', { regex, replacement }, { topic, value: 1 })?.topic).toBe(expected);
  });

  it('keeps everything else, and the very record where the topic stays', () => {
    const record = { topic: 'a', key: 1, value: 2, headers: [], rocketmq: { tag: 'x' }, partition: { p: 1 }, position: { n: 1 } };
    const transform = transformOf('org.apache.rocketmq.connect.transforms.RegexRouter', { regex: 'a', replacement: 'b' });
    expect(transform.apply(record)).toEqual({ ...record, topic: 'b' });
    const other = { topic: 'q', value: 1 };
    expect(transform.apply(other)).toBe(other);
  });

  it('refuses a topic that RocketMQ cannot have, from a source alone', () => {
    const settings = { regex: '(.*)', replacement: 'db.$1' };
    expect(() => applied('RegexRouter', settings, { topic: 'orders' })).toThrow(
      'the record of topic orders cannot go to "db.orders": Topic "db.orders" cannot exist; a topic\'s name has 1 to 127 of the characters',
    );
    expect(() => applied('RegexRouter', { ...settings, replacement: 'x'.repeat(128) }, { topic: 'a' })).toThrow('has 128 characters');
    expect(applied('RegexRouter', settings, { topic: 'orders', ...PLACE })?.topic).toBe('db.orders');
  });

  it('refuses patterns and replacements that it cannot honour', () => {
    expect(problemsOf('RegexRouter', { regex: 'a++', replacement: 'x' })).toEqual([expect.stringContaining('possessive quantifier')]);
    expect(problemsOf('RegexRouter', { regex: 'a', replacement: '$1' })).toEqual([
      'Invalid value $1 for configuration replacement: No group 1; the pattern has 0',
    ]);
  });
});

describe('TimestampRouter', () => {
  const record = { timestamp: 1_700_000_000_000, value: 1 };

  it.each([
    [{}, 't-20231114'],
    [{ 'topic.format': 'x_${timestamp}_${topic}_${topic}', 'timestamp.format': 'yyyy' }, 'x_2023_t_t'],
    [{ 'topic.format': '${timestamp}', 'timestamp.format': "yyyy'w'ww" }, '2023w46'],
  ])('with %j makes the topic %s', (settings, topic) => {
    expect(applied('TimestampRouter', settings, record)).toEqual({ ...record, topic });
  });

  it('refuses records without timestamp, topics that RocketMQ cannot have, and patterns that it cannot read', () => {
    expect(() => applied('TimestampRouter', {}, { value: 1 })).toThrow('Timestamp missing on record of topic t');
    const settings = { 'timestamp.format': 'yyyy.MM' };
    expect(() => applied('TimestampRouter', settings, record)).toThrow('the record of topic t cannot go to "t-2023.11"');
    expect(applied('TimestampRouter', settings, { ...record, ...PLACE })?.topic).toBe('t-2023.11');
    expect(problemsOf('TimestampRouter', { 'timestamp.format': 'qqq' })).toEqual([
      expect.stringContaining("Illegal pattern character 'q'"),
    ]);
  });
});
