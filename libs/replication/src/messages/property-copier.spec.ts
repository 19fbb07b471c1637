import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MAX_HOPS } from './hop-list.js';
import { type CopiedMessage, type NotCopied, PropertyCopier } from './property-copier.js';
import { PROPERTY_RULES } from './property-rules.js';

const BODY = Buffer.from('body');
const BARRIER_BODY = Buffer.from([0]);
const BORN = 1_700_000_000_000;
const stamping = new PropertyCopier({ source: 'A', target: 'B', bornTime: 'stamp' });
const native = new PropertyCopier({ source: 'A', target: 'B', bornTime: 'native' });

/** What Java's `MessageDecoder.string2messageProperties` makes of a block. */
function asJavaSees(block: Buffer): Map<string, string> {
  const seen = new Map<string, string>();
  for (const entry of block.toString('utf8').split('\u0002')) {
    const split = entry.indexOf('\u0001');
    if (split > 0 && split < entry.length - 1) seen.set(entry.slice(0, split), entry.slice(split + 1));
  }
  return seen;
}

function block(...pairs: readonly (readonly [string, string])[]): Buffer {
  return Buffer.from(pairs.map(([name, value]) => `${name}\u0001${value}`).join('\u0002'), 'utf8');
}

function copied(outcome: CopiedMessage | NotCopied): CopiedMessage {
  if ('why' in outcome) throw new Error(`not copied: ${outcome.why}`);
  return outcome;
}

function text(outcome: CopiedMessage | NotCopied): string {
  return copied(outcome).properties.toString('utf8').replaceAll('\u0001', '=').replaceAll('\u0002', ';');
}

describe('PropertyCopier', () => {
  it('keeps what users and consumers need, in its order', () => {
    const stored = block(['KEYS', 'k1 k2'], ['note', 'two\nlines 😀'], ['TAGS', 'T1'], ['UNIQ_KEY', '7F'], ['__SHARDINGKEY', 's']);
    expect(text(native.copy(stored, BODY, BORN))).toBe('KEYS=k1 k2;note=two\nlines 😀;TAGS=T1;UNIQ_KEY=7F;__SHARDINGKEY=s;sluice-hops=A;');
  });

  it('renames what would act a second time, and drops what the target writes itself', () => {
    const stored = block(['DELAY', '3'], ['CLUSTER', 'c'], ['a', '1'], ['TRAN_MSG', 'true'], ['MSG_REGION', 'r'], ['WAIT', 'false']);
    expect(text(native.copy(stored, BODY, BORN))).toBe('sluice-was-DELAY=3;a=1;sluice-was-TRAN_MSG=true;sluice-hops=A;');
  });

  it('drops what brokers do not store', () => {
    const stored = block(['__RMQ.TRANSIENT.TOPIC_SYS_FLAG', '1'], ['__RMQ.TRANSIENT', 'mine']);
    expect(text(native.copy(stored, BODY, BORN))).toBe('__RMQ.TRANSIENT=mine;sluice-hops=A;');
  });

  it('writes the born time in base 36, unless the send carries it', () => {
    expect(text(stamping.copy(block(['a', '1']), BODY, BORN))).toBe(`a=1;sluice-hops=A;sluice-born=${BORN.toString(36)};`);
    expect(copied(native.copy(block(['a', '1']), BODY, BORN)).bornAt).toBe(BORN);
  });

  it('keeps the first born time of a message that was copied before', () => {
    const again = block(['sluice-born', (BORN - 5).toString(36)], ['sluice-hops', 'Z']);
    expect(text(stamping.copy(again, BODY, BORN))).toBe(`sluice-hops=Z,A;sluice-born=${(BORN - 5).toString(36)};`);
    expect(copied(native.copy(again, BODY, BORN)).bornAt).toBe(BORN - 5);
    expect(copied(native.copy(block(['sluice-born', '0x']), BODY, BORN)).bornAt).toBe(BORN);
  });

  it('replaces the stamp of another flow', () => {
    expect(text(native.copy(block(['sluice-p', 'x'], ['a', '1']), BODY, BORN))).toBe('a=1;sluice-hops=A;');
  });

  it('takes an empty block and one that ends in a separator', () => {
    expect(text(native.copy(Buffer.alloc(0), BODY, BORN))).toBe('sluice-hops=A;');
    expect(text(native.copy(Buffer.from('a\u00011\u0002'), BODY, BORN))).toBe('a=1;sluice-hops=A;');
    expect(text(native.copy(Buffer.from('CLUSTER\u0001c\u0002'), BODY, BORN))).toBe('sluice-hops=A;');
  });

  it.each(['DELAY\u0001', '\u00013', 'DELAY', 'DELAY\u0001\u0002a\u00011'])(
    'leaves %j, which is no property of that name, as it is',
    (stored) => {
      const { properties } = copied(native.copy(Buffer.from(stored), BODY, BORN));
      expect(properties.toString()).toBe(`${stored}\u0002sluice-hops\u0001A\u0002`);
    },
  );

  it('keeps bytes that are no UTF-8', () => {
    const stored = Buffer.from([0x61, 1, 0xff, 0xfe, 0x80, 2, ...Buffer.from('DELAY\u00013')]);
    const { properties } = copied(native.copy(stored, BODY, BORN));
    expect(properties.subarray(0, 6)).toEqual(stored.subarray(0, 6));
  });

  it('leaves out barriers, and nothing that only looks like one', () => {
    const marked = block(['sluice-b', 'x.y.1']);
    expect(native.copy(marked, BARRIER_BODY, BORN)).toEqual({ why: 'barrier' });
    expect(text(native.copy(marked, BODY, BORN))).toBe('sluice-hops=A;');
    expect(text(native.copy(block(['sluice-b', 'x'], ['sluice-p', 'y']), BARRIER_BODY, BORN))).toBe('sluice-hops=A;');
    expect(text(native.copy(block(['a', '1']), BARRIER_BODY, BORN))).toBe('a=1;sluice-hops=A;');
  });

  it.each([
    ['B', 'loop'],
    ['Z,B,Y', 'loop'],
    ['Z,,Y', 'hops-unreadable'],
    ['Z,Z', 'hops-unreadable'],
    [' B', 'hops-unreadable'],
    ['Z,', 'hops-unreadable'],
    [Array.from({ length: MAX_HOPS }, (_, at) => `c${at}`).join(','), 'hops-full'],
    [Array.from({ length: MAX_HOPS + 1 }, (_, at) => `c${at}`).join(','), 'hops-unreadable'],
  ])('does not copy a message that came through %j: %s', (hops, why) => {
    expect(native.copy(block(['sluice-hops', hops]), BODY, BORN)).toMatchObject({ why });
    // The copier remembers the last list: the next message has its own.
    expect(text(native.copy(block(['a', '1']), BODY, BORN))).toBe('a=1;sluice-hops=A;');
  });

  it('compares whole identities', () => {
    expect(text(native.copy(block(['sluice-hops', 'BB,xB,Bx']), BODY, BORN))).toBe('sluice-hops=BB,xB,Bx,A;');
  });

  it('names a source once, also where the message came back', () => {
    expect(text(native.copy(block(['sluice-hops', 'A,C']), BODY, BORN))).toBe('sluice-hops=A,C;');
  });

  it('refuses a block that no longer fits, with both numbers', () => {
    const copier = new PropertyCopier({ source: 'A', target: 'B', bornTime: 'native', maxBytes: 40 });
    const fits = 40 - 'a=;sluice-hops=A;'.length;
    expect(text(copier.copy(block(['a', 'x'.repeat(fits)]), BODY, BORN))).toHaveLength(40);
    const refused = copier.copy(block(['a', 'x'.repeat(fits + 1)]), BODY, BORN);
    expect(refused).toEqual({ why: 'too-long', problem: 'The properties of the copy take 41 bytes; allowed are 40' });
  });

  it.each([
    ['A', 'A', 'the same cluster'],
    ['A,B', 'C', 'letters, digits'],
    ['A', '', 'letters, digits'],
  ])('refuses to copy from %j to %j', (source, target, problem) => {
    expect(() => new PropertyCopier({ source, target, bornTime: 'native' })).toThrow(problem);
  });

  it('gives Java the same properties, but for those of the table', () => {
    const treatments = new Map(PROPERTY_RULES.map(({ name, treatment }) => [name, treatment]));
    const known = fc.constantFrom(
      ...PROPERTY_RULES.map(({ name }) => name).filter((name) => name !== 'sluice-hops' && name !== 'sluice-b'),
    );
    const chunk = fc.string({ unit: fc.constantFrom('\u0001', '\u0002', 'a', 'D', 'é', '😀', '\n', '='), maxLength: 4 });
    const entry = fc.oneof(
      fc.tuple(known, chunk).map(([name, value]) => `${name}\u0001${value}`),
      fc.tuple(known, fc.string()).map(([name, value]) => `${name}\u0001${value.replaceAll('\u0002', '')}`),
      fc.tuple(fc.string(), fc.string()).map(([name, value]) => `${name}\u0001${value}`),
      chunk,
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 12 }), (entries) => {
        const stored = Buffer.from(entries.join('\u0002'), 'utf8');
        if (asJavaSees(stored).has('sluice-hops') || asJavaSees(stored).has('sluice-b')) return;
        const expected = new Map<string, string>();
        // In the order of the block, as the last of two equal names wins, also after one was renamed.
        for (const part of stored.toString('utf8').split('\u0002')) {
          for (const [name, value] of asJavaSees(Buffer.from(part))) {
            const treatment = name.startsWith('__RMQ.TRANSIENT.') ? 'dropped' : (treatments.get(name) ?? 'kept');
            if (treatment !== 'dropped') expected.set(treatment === 'kept' ? name : `sluice-was-${name}`, value);
          }
        }
        expected.set('sluice-hops', 'A');
        expect(asJavaSees(copied(native.copy(stored, BODY, BORN)).properties)).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});
