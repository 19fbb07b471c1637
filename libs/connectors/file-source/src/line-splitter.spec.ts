import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { LineSplitter } from './line-splitter.js';

interface Line {
  readonly text: string;
  readonly position: number;
}

/** Reads `content` to its end; `sizes` says how large the file looks, and how much a read gives, each time. */
function readAll(content: Buffer, splitter: LineSplitter, limit: number, sizes: readonly number[]): readonly Line[] {
  const found: Line[] = [];
  const emit = (line: Buffer, position: number): void => {
    found.push({ text: line.toString('latin1'), position });
  };
  let turn = 0;
  let isWhole = false;
  while (!isWhole) {
    while (splitter.take(limit, emit) > 0);
    isWhole = turn >= sizes.length;
    const size = isWhole ? content.length : Math.min(content.length, sizes[turn] ?? 0);
    turn += 1;
    for (let plan = splitter.plan(size); plan !== undefined; plan = splitter.plan(size)) {
      const short = turn % 3 === 0 && plan.length > 2 ? plan.length - 1 : plan.length;
      turn += 1;
      expect(splitter.accept(content.subarray(plan.offset, plan.offset + short))).toBe(true);
      while (splitter.take(limit, emit) > 0);
    }
  }
  return found;
}

function linesOf(content: Buffer): readonly Line[] {
  let position = 0;
  return content
    .toString('latin1')
    .split('\n')
    .slice(0, -1)
    .map((text) => ({ text, position: (position += text.length + 1) }));
}

describe('LineSplitter', () => {
  const bytes = fc.array(fc.oneof(fc.constant(10), fc.integer({ min: 0, max: 255 })), { maxLength: 200 });

  it('gives the same lines for any bytes, in any pieces, however the file grows', () => {
    fc.assert(
      fc.property(
        bytes,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(200), { maxLength: 6 }).map((sizes) => sizes.sort((left, right) => left - right)),
        (array, chunkBytes, limit, sizes) => {
          const content = Buffer.from(array);
          expect(readAll(content, new LineSplitter(0, { chunkBytes }), limit, sizes)).toEqual(linesOf(content));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('goes on at the position after any line', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 40 }), fc.nat(), (array, chunkBytes, pick) => {
        const content = Buffer.from(array);
        const all = linesOf(content);
        const after = pick % (all.length + 1);
        const position = after === 0 ? 0 : (all[after - 1]?.position ?? 0);
        expect(readAll(content, new LineSplitter(position, { chunkBytes }), 3, [])).toEqual(all.slice(after));
      }),
    );
  });

  it('refuses a piece that does not follow a newline', () => {
    const splitter = new LineSplitter(2);
    expect(splitter.plan(5)).toEqual({ offset: 1, length: 4 });
    expect(splitter.accept(Buffer.from('bcd\n'))).toBe(false);
    expect(splitter.accept(Buffer.from('\ncd\n'))).toBe(true);
  });

  it('asks for nothing while a line is not complete, and for larger pieces while a line is longer', () => {
    const splitter = new LineSplitter(0, { chunkBytes: 4, maxLineBytes: 9 });
    const take = (): number => splitter.take(9, () => undefined);
    expect(splitter.plan(20)).toEqual({ offset: 0, length: 4 });
    splitter.accept(Buffer.from('abcd'));
    take();
    expect(splitter.plan(4)).toBeUndefined();
    expect(splitter.plan(20)).toEqual({ offset: 0, length: 8 });
    splitter.accept(Buffer.from('abcdefgh'));
    take();
    expect(splitter.plan(20)).toEqual({ offset: 0, length: 10 });
    splitter.accept(Buffer.from('abcdefghi\n'));
    expect(take()).toBe(1);
    expect(splitter.position).toBe(10);
  });

  it('refuses a line that is too long, after the lines before it', () => {
    const splitter = new LineSplitter(0, { chunkBytes: 16, maxLineBytes: 3 });
    const content = Buffer.from('a\nbcde\n');
    splitter.accept(content);
    expect(splitter.take(9, () => undefined)).toBe(1);
    expect(splitter.plan(content.length)).toEqual({ offset: 1, length: 6 });
    splitter.accept(content.subarray(1));
    expect(() => splitter.take(9, () => undefined)).toThrow('The line at offset 2 has more than 3 bytes');
  });
});
