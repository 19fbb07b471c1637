import { describe, expect, it } from '@jest/globals';
import { type ConnectRecord, type ConnectValue, Decimal, JsonNumber, type RawConfig, schemas } from '@sluice/sdk';
import { PLACE, problemsOf, transformOf } from '../testing/run-transform.js';

const { signal } = new AbortController();

async function evaluated(settings: RawConfig, record: Partial<ConnectRecord>): Promise<ConnectRecord | undefined> {
  const transform = transformOf('JsonataTransform', settings);
  const whole = { topic: 't', value: null, ...record };
  await transform.prepare?.([whole], signal);
  return transform.apply(whole);
}

const valueOf = async (expression: string, value: ConnectValue): Promise<ConnectValue | undefined> =>
  (await evaluated({ expression }, { value }))?.value;

describe('JsonataTransform', () => {
  it.each<[string, ConnectValue, ConnectValue]>([
    [
      '$sum(items.(price * quantity))',
      {
        items: [
          { price: 2.5, quantity: 2 },
          { price: 1, quantity: 3 },
        ],
      },
      8,
    ],
    ['{"name": first & " " & last, "tags": tags[]}', { first: 'A', last: 'B', tags: 'x' }, { name: 'A B', tags: ['x'] }],
    [
      'items[price > 1].name',
      {
        items: [
          { name: 'a', price: 1 },
          { name: 'b', price: 2 },
        ],
      },
      'b',
    ],
    ['missing', { a: 1 }, null],
    ['$', [1, [2]], [1, [2]]],
    ['$ ~> |a|{"b": 2}|', { a: { b: 1, c: 3 } }, { a: { b: 2, c: 3 } }],
    // Numbers that a double holds are numbers; others pass with all digits.
    ['a * 2', { a: Decimal.parse('12.50') }, 25],
    ['a * 2', { a: new JsonNumber('1.50') }, 3],
    [
      '{"big": a, "exact": b, "c": c}',
      { a: 2n ** 63n - 1n, b: Decimal.parse('0.12345678901234567890'), c: 5n },
      { big: 2n ** 63n - 1n, exact: Decimal.parse('0.12345678901234567890'), c: 5 },
    ],
    ['$ ~> |x|{"y": 1}|', { x: {}, a: new JsonNumber('12345678901234567.89') }, { x: { y: 1 }, a: new JsonNumber('12345678901234567.89') }],
    ['$toMillis(at)', { at: new Date(1_700_000_000_123) }, 1_700_000_000_123],
    ['$base64decode(b)', { b: Buffer.from('hi') }, 'hi'],
    ['m."5"', { m: new Map([[5, 'five']]) }, 'five'],
    ['$replace(s, /(a+)b/, "<$1>")', { s: 'xaabab' }, 'x<aa><a>'],
    ['$match(s, /A(.)/i).groups', { s: 'a1 A2' }, ['1', '2']],
  ])('%s makes of %p %p', async (expression, value, expected) => {
    expect(await valueOf(expression, value)).toEqual(expected);
  });

  it('makes a value or key without schema, and sees the record', async () => {
    const record = { key: 'k', keySchema: schemas.string, value: 'v', schema: schemas.string, timestamp: 5 };
    expect(await evaluated({ expression: '$record.topic & "/" & $record.key & "/" & $' }, record)).toEqual({
      topic: 't',
      key: 'k',
      keySchema: schemas.string,
      value: 't/k/v',
      timestamp: 5,
    });
    expect(await evaluated({ expression: '{"id": $}', target: 'key' }, record)).toEqual({
      topic: 't',
      key: { id: 'k' },
      value: 'v',
      schema: schemas.string,
      timestamp: 5,
    });
  });

  it('makes parts of a record, and keeps the others with their schemas', async () => {
    const headers = [
      { key: 'a', value: 2n ** 63n - 1n, schema: schemas.int64 },
      { key: 'b', value: 'x' },
    ];
    const record = { key: 'k', value: { type: 'order' }, schema: schemas.string, headers, rocketmq: { tag: 'old', keys: ['q'] }, ...PLACE };
    const settings = {
      target: 'record',
      expression:
        '{"topic": "to-" & value.type, "key": offset, "headers": $append(headers, {"key": "c", "value": 1}), "timestamp": 9, "tag": "new"}',
    };
    expect(await evaluated(settings, record)).toEqual({
      ...record,
      topic: 'to-order',
      key: 7,
      headers: [...headers, { key: 'c', value: 1 }],
      timestamp: 9,
      rocketmq: { tag: 'new', keys: ['q'] },
    });
  });

  it('drops a record for nothing or null', async () => {
    const settings = { target: 'record', expression: 'value.keep ? {} : null' };
    expect(await evaluated(settings, { value: { keep: false } })).toBeUndefined();
    const kept = { topic: 't', value: { keep: true } };
    expect(await evaluated(settings, kept)).toEqual(kept);
    expect(await evaluated({ target: 'record', expression: 'nothing' }, {})).toBeUndefined();
  });

  it.each([
    ['record', '{"topics": 1}', 'the expression gave the record a part topics; allowed are topic, key, value'],
    ['record', '"x"', 'the expression gave string for the record'],
    ['record', '{"topic": 5}', 'the expression gave number as topic; allowed is a text'],
    ['record', '{"topic": "a b"}', 'the record of topic t cannot go to "a b"'],
    ['record', '{"headers": "x"}', 'the expression gave string as headers'],
    ['record', '{"timestamp": "now"}', 'the expression gave string as timestamp'],
    ['value', 'function($x){$x}', 'the expression gave a function'],
    ['value', '1/0', 'the expression gave the number Infinity; allowed are finite ones'],
    ['value', 'secret + 1', 'the expression failed: The left side of the "+" operator must evaluate to a number'],
    ['value', '$number(secret)', 'the expression failed: Unable to cast value to a number: …'],
    ['value', '($f := function($n){1 + $f($n + 1)}; $f(1))', 'the expression failed: Stack overflow'],
    ['value', '[1..9999999]', 'the expression failed'],
  ])('fails a record whose %s it cannot make: %s', async (target, expression, message) => {
    const record = { topic: 't', value: { secret: 'hunter2' } };
    const transform = transformOf('JsonataTransform', { target, expression, 'timeout.ms': '2000' });
    await transform.prepare?.([record], signal);
    const apply = (): unknown => transform.apply(record);
    expect(apply).toThrow(message);
    await transform.prepare?.([record], signal);
    expect(apply).not.toThrow('hunter2');
  });

  it('fails a record that takes too long', async () => {
    const endless = '($f := function($n){$f($n + 1)}; $f(1))';
    await expect(evaluated({ expression: endless, 'timeout.ms': '20' }, {})).rejects.toThrow(
      'the expression took longer than the 20 ms of timeout.ms',
    );
  });

  it('takes time in proportion to a text for every pattern', async () => {
    expect(await valueOf('$contains(s, /(a+)+$/)', { s: `${'a'.repeat(50)}b` })).toBe(false);
  });

  it('gives a batch its time: what is done is not done again', async () => {
    const slow = '($f := function($n){$n = 0 ? 1 : $f($n - 1)}; $f(400))';
    const transform = transformOf('JsonataTransform', { expression: slow, 'batch.timeout.ms': '1' });
    const records = [1, 2, 3].map((value) => ({ topic: 't', value }));
    let calls = 0;
    for (let isDone = false; !isDone && calls < 10; calls += 1) {
      isDone = await transform.prepare!(records, signal).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ retriable: true, message: expect.stringContaining('the 1 ms of batch.timeout.ms') });
          return false;
        },
      );
    }
    expect(calls).toBe(3);
    expect(records.map((record) => transform.apply(record)?.value)).toEqual([1, 1, 1]);
  });

  it('takes a record that stands in a batch twice', async () => {
    const transform = transformOf('JsonataTransform', { expression: '$ + 1' });
    const record = { topic: 't', value: 1 };
    await transform.prepare?.([record, record], signal);
    expect([transform.apply(record)?.value, transform.apply(record)?.value]).toEqual([2, 2]);
  });

  it('evaluates a record again that a later batch has', async () => {
    const transform = transformOf('JsonataTransform', { expression: '$ + 1' });
    const record = { topic: 't', value: 1 };
    for (const value of [1, 5]) {
      record.value = value;
      await transform.prepare?.([record], signal);
      expect(transform.apply(record)?.value).toBe(value + 1);
    }
  });

  it('gives each record its own time, however many queues are evaluated at once', async () => {
    const expression = '($f := function($n){$n = 0 ? 1 : $f($n - 1)}; $f(500))';
    const probe = transformOf('JsonataTransform', { expression, 'timeout.ms': '2000' });
    await probe.prepare?.([{ topic: 't', value: 0 }], signal);
    const startedAt = performance.now();
    await probe.prepare?.([{ topic: 't', value: 0 }], signal);
    const alone = Math.max(performance.now() - startedAt, 20);
    const transform = transformOf('JsonataTransform', { expression, 'timeout.ms': String(Math.ceil(alone * 4)) });
    const records = Array.from({ length: 32 }, (_, value) => ({ topic: 't', value }));
    await Promise.all(records.map(async (record) => transform.prepare?.([record], signal)));
    expect(records.map((record) => transform.apply(record)?.value)).toEqual(records.map(() => 1));
  });

  it.each([
    ['holds', '$reduce([1..20], function($a, $i){ {"l": $a, "r": $a} })'],
    ['copies', '$reduce([1..20], function($a, $i){ {"l": $a, "r": $a} }) ~> |l|{"x": 1}|'],
  ])('ends in time where a result %s the same part over and over', async (_, expression) => {
    const error = /the expression (?:took longer than the 300 ms of timeout.ms|gave more than 1000000 values|failed)/;
    await expect(evaluated({ expression, 'timeout.ms': '300' }, { value: 1 })).rejects.toThrow(error);
  });

  it.each([
    ['a source', {}],
    ['a sink', PLACE],
  ])('gives the whole record of %s back with one part changed', async (_, place) => {
    const record = { value: { a: 1 }, ...place };
    expect(await evaluated({ target: 'record', expression: '$merge([$, {"topic": "x"}])' }, record)).toEqual({
      topic: 'x',
      headers: [],
      ...record,
    });
  });

  it('refuses another place for the record of a sink', async () => {
    const settings = { target: 'record', expression: '$merge([$, {"offset": 8}])' };
    await expect(evaluated(settings, { value: 1, ...PLACE })).rejects.toThrow('the expression gave the record a part offset');
  });

  it.each<[string, ConnectValue]>([
    ['"total: " & a', new JsonNumber('12345678901234567.89')],
    ['$string($)', 9_007_199_254_740_993n],
    ['$string([a])', Decimal.parse('0.12345678901234567890')],
    ['a + 1', 9_007_199_254_740_993n],
    ['a < 1', Decimal.parse('0.12345678901234567890')],
  ])('refuses %s of a number that a double does not hold', async (expression, a) => {
    await expect(valueOf(expression, { a })).rejects.toThrow(/a number that a double does not hold|the expression failed/);
  });

  it('ends when it is aborted', async () => {
    const transform = transformOf('JsonataTransform', { expression: '$' });
    const aborted = AbortSignal.abort(new Error('stop'));
    await expect(transform.prepare!([{ topic: 't', value: 1 }], aborted)).rejects.toThrow('stop');
  });

  it.each([
    ['a[', 'Expected "]" before end of expression at position 2'],
    ['$match(a, /(?=b)/)', 'invalid or unsupported Perl syntax'],
  ])('refuses the expression %s', (expression, message) => {
    expect(problemsOf('JsonataTransform', { expression })).toEqual([expect.stringContaining(message)]);
  });
});
