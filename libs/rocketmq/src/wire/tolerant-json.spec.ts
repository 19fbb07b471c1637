import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MalformedDataError } from '../errors.js';
import { parseTolerantJson, type TolerantValue } from './tolerant-json.js';

/** To what JSON.parse gives, where that exists. */
function plain(value: TolerantValue): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, field]) => [key as string, plain(field as TolerantValue)]));
  }
  if (Array.isArray(value)) return (value as readonly TolerantValue[]).map(plain);
  return typeof value === 'bigint' ? Number(value) : value;
}

describe('parseTolerantJson', () => {
  it('reads standard JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (json) => {
        fc.pre(!json.includes('__proto__'));
        expect(JSON.stringify(plain(parseTolerantJson(json)))).toBe(JSON.stringify(JSON.parse(json)));
      }),
      { numRuns: 500 },
    );
  });

  it('reads objects as keys', () => {
    const text =
      '{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t"}:{"lastUpdateTimestamp":0,"maxOffset":5,"minOffset":0}},"topicPutTps":0.0}';
    const root = parseTolerantJson(text) as Map<string, Map<Map<string, unknown>, Map<string, unknown>>>;
    const [[queue, stats]] = [...root.get('offsetTable')!] as [[Map<string, unknown>, Map<string, unknown>]];
    expect([...queue]).toEqual([
      ['brokerName', 'b'],
      ['queueId', 0],
      ['topic', 't'],
    ]);
    expect(stats.get('maxOffset')).toBe(5);
    expect(root.get('topicPutTps')).toBe(0);
  });

  it('reads bare keys as strings', () => {
    const text = '{"brokerAddrs":{0:"1.1.1.1:10911",-1:"x"},"t@g":{0:9}}';
    expect(plain(parseTolerantJson(text))).toEqual({
      brokerAddrs: { '0': '1.1.1.1:10911', '-1': 'x' },
      't@g': { '0': 9 },
    });
  });

  it('reads integers beyond 2^53 exactly', () => {
    expect(parseTolerantJson('[9223372036854775807,-9007199254740993,9007199254740991,1e30]')).toEqual([
      9223372036854775807n,
      -9007199254740993n,
      9007199254740991,
      1e30,
    ]);
  });

  it.each(['', '{', '[1', '{"a"}', '{"a":}', '"open', '[1,]', '{} x', 'nul', '--1', '{"a":1,}', '"\\'])('refuses %j', (text) => {
    expect(() => parseTolerantJson(text)).toThrow(MalformedDataError);
  });

  it('refuses nesting that would exhaust the stack', () => {
    for (const open of ['[', '{"a":', '{']) {
      expect(() => parseTolerantJson(open.repeat(100_000))).toThrow(MalformedDataError);
    }
  });

  it('answers any text with a value or a typed error', () => {
    const token = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '\\', '0', '1e', 'a', 'null', ' ', '\n', '"k"', '-');
    fc.assert(
      fc.property(fc.array(token, { maxLength: 40 }), (tokens) => {
        try {
          parseTolerantJson(tokens.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedDataError);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('reads a string of 15 MB, escapes and all', () => {
    const text = `${'x'.repeat(15 * 1024 * 1024)}"\\`;
    expect(parseTolerantJson(JSON.stringify(text)) === text).toBe(true);
    expect(() => parseTolerantJson(JSON.stringify(text).slice(0, -1))).toThrow(MalformedDataError);
  });

  it.each(['"', '"\\"', '"a\\\\\\"'])('refuses %s, which does not end', (text) => {
    expect(() => parseTolerantJson(text)).toThrow(MalformedDataError);
  });
});
