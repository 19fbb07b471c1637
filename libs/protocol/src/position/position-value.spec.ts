import { describe, expect, it } from '@jest/globals';
import type { PositionValue, SourcePosition } from '@sluice/sdk';
import fc from 'fast-check';
import { encodeStamp, parseStamp, streamId, taskId } from '../record/source-stamp.js';
import { ConnectorPositions } from './connector-positions.js';
import { bigintAsObject, describePosition, parsePositionJson, positionJson, withBigints } from './position-value.js';
import { decodePosition, encodePosition } from './position.codec.js';

const anyValue = fc.letrec<{ value: PositionValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
    fc.maxSafeInteger(),
    fc.bigInt(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((value) => (value === 0 ? 0 : value)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;
const anyPosition = fc.dictionary(fc.string(), anyValue, { maxKeys: 4, noNullPrototype: true });
/** As Debezium stores them. */
const debezium: SourcePosition = {
  lsn: 9_223_372_036_854_775_807n,
  txId: null,
  snapshot: { completed: true, tables: ['a', null] },
  small: 5n,
};
const owner = { index: 0, generation: 3 };

describe('positions of any JSON value', () => {
  it('have texts as JSON.stringify writes them', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', '\\', ' ', '~', '\u001f', '\u007f', 'a') }),
    );
    fc.assert(
      fc.property(text, (value) => {
        expect(positionJson({ a: value })).toBe(JSON.stringify({ a: value }));
      }),
    );
  });

  it('are written with sorted keys, whatever was written before', () => {
    expect(positionJson({ b: 1, a: { d: 2, c: 3 } })).toBe('{"a":{"c":3,"d":2},"b":1}');
    expect(positionJson({ b: 1, a: 2 })).toBe('{"a":2,"b":1}');
    expect(positionJson({ a: 1, b: 2 })).toBe('{"a":1,"b":2}');
    expect(positionJson({ a: 1, c: 2 })).toBe('{"a":1,"c":2}');
  });

  it('come back from a stamp as they are', () => {
    const [task, stream] = [taskId('c', 0), streamId('c', { server: 's', shard: null })];
    fc.assert(
      fc.property(anyPosition, (position) => {
        const text = encodeStamp({ task, stream, generation: 3, seq: 7, position }, 'queue');
        expect(parseStamp(text, 'queue')?.position).toEqual(position);
      }),
    );
    const text = encodeStamp({ task, stream, generation: 3, seq: 7, position: debezium }, 'queue');
    expect(parseStamp(text, 'queue')?.position).toEqual(debezium);
  });

  it('come back from a position message, and a file of positions, as they are', () => {
    fc.assert(
      fc.property(anyPosition, anyPosition, (partition, position) => {
        const stored = {
          partition,
          position,
          nextSeq: 1,
          routes: [],
          ahead: [{ seq: 3, position }],
          owner,
          revision: 0,
        };
        const body = encodePosition({
          kind: 'write',
          connector: 'c',
          ...owner,
          partitions: [stored],
          scans: [],
          settled: [],
        });
        const folded = new ConnectorPositions('c');
        folded.apply(decodePosition(body), { storedAtMs: 0, offset: 0 });
        const copy = JSON.parse(JSON.stringify(folded.copy())) as ReturnType<typeof folded.copy>;
        const owners = { asOf: 3, live: new Map(), tasksSince: 0 };
        const { free } = ConnectorPositions.restore(copy).storedFor({ index: 0, generation: 4 }, owners);
        expect(free).toEqual([stored]);
      }),
    );
  });

  it('are distinguished by their content, whatever the order of their fields', () => {
    expect(streamId('c', { a: { x: 1, y: null }, b: 2n })).toBe(streamId('c', { b: 2n, a: { y: null, x: 1 } }));
    expect(streamId('c', { a: null })).not.toBe(streamId('c', {}));
    expect(positionJson({ a: 1n })).not.toBe(positionJson({ a: 1 }));
    expect(positionJson({ b: undefined as unknown as null, a: -0 })).toBe('{"a":0}');
  });

  it.each<[string, unknown, string]>([
    ['a', NaN, 'Its field "a" is the number NaN; allowed are text, booleans, null, finite numbers'],
    ['a', Infinity, 'is the number Infinity'],
    ['a', 2 ** 53, 'Its field "a" is the number 9007199254740992; allowed are text'],
    ['a', new Date(0), 'Its field "a" is of class Date'],
    ['a', { b: [1, { c: undefined, d: new Map() }] }, 'Its field "a.b[1].d" is of class Map'],
    ['a', [undefined], 'Its field "a[0]" is undefined'],
    ['a', () => 1, 'is function'],
    ['a', Buffer.from('x'), 'is of class Buffer'],
    ['a', 'x'.repeat(8_200), 'It takes 8208 bytes as JSON; allowed are 8192'],
  ])('refuse %s of what would not come back', (field, value, reason) => {
    const take = (): string => positionJson({ [field]: value } as SourcePosition);
    expect(take).toThrow(reason);
    expect(take).toThrow(expect.objectContaining({ code: 'CONNECT_POSITION_INVALID', retriable: false }));
  });

  it('are described for people whatever they are', () => {
    expect(describePosition(debezium)).toContain('"lsn":"9223372036854775807n","txId":null');
    expect(describePosition({ a: NaN })).toBe('{"a":null}');
  });

  it('are not copied where they hold no bigint', () => {
    const plain = { a: [{ b: 1 }], '#bigint': 'no digits' };
    expect(withBigints(plain)).toBe(plain);
    expect(parsePositionJson(JSON.stringify({ a: [1n, 'x'] }, bigintAsObject))).toEqual({ a: [1n, 'x'] });
  });
});
