import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { printBefore, PRINT_BYTES } from './file-print.js';
import { LineSplitter, LineTooLongError } from './line-splitter.js';

const nothing = Buffer.alloc(0);

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
          expect(readAll(content, new LineSplitter(0, nothing, { chunkBytes }), limit, sizes)).toEqual(linesOf(content));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('resumes at the position after any line', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 40 }), fc.nat(), (array, chunkBytes, pick) => {
        const content = Buffer.from(array);
        const all = linesOf(content);
        const after = pick % (all.length + 1);
        const position = after === 0 ? 0 : (all[after - 1]?.position ?? 0);
        const before = content.subarray(Math.max(0, position - PRINT_BYTES), position);
        expect(readAll(content, new LineSplitter(position, before, { chunkBytes }), 3, [])).toEqual(all.slice(after));
      }),
    );
  });

  it('refuses a piece that has other bytes before the position than were read there', () => {
    const splitter = new LineSplitter(2, Buffer.from('a\n'));
    expect(splitter.plan(5)).toEqual({ offset: 0, length: 5 });
    expect(splitter.accept(Buffer.from('b\ncd\n'))).toBe(false);
    expect(splitter.accept(Buffer.from('a\ncd\n'))).toBe(true);
    expect(splitter.take(9, () => undefined)).toBe(1);
    expect(splitter.plan(7)).toEqual({ offset: 0, length: 7 });
    expect(splitter.accept(Buffer.from('a\ncX\ne\n'))).toBe(false);
  });

  it('gives each line the print of the bytes before the next one, the same in whatever pieces it was read', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 90 }), (array, chunkBytes) => {
        const content = Buffer.from(array);
        const prints: number[] = [];
        const splitter = new LineSplitter(0, nothing, { chunkBytes });
        for (let plan = splitter.plan(content.length); plan !== undefined; plan = splitter.plan(content.length)) {
          splitter.accept(content.subarray(plan.offset, plan.offset + plan.length));
          while (splitter.take(3, (_line, position, print) => prints.push(position, print)) > 0);
          expect(splitter.print).toBe(printBefore(content, splitter.position));
        }
        expect(prints).toEqual(linesOf(content).flatMap(({ position }) => [position, printBefore(content, position)]));
      }),
    );
  });

  it('passes over lines that are too long, and gives all others', () => {
    const line = fc.integer({ min: 0, max: 30 }).map((length) => 'x'.repeat(length));
    fc.assert(
      fc.property(fc.array(line), fc.integer({ min: 1, max: 20 }), (all, chunkBytes) => {
        const content = Buffer.from(all.map((text, n) => `${n % 10}${text}\n`).join(''));
        const splitter = new LineSplitter(0, nothing, { chunkBytes, maxLineBytes: 12 });
        const found: Line[] = [];
        const takeAll = (): void => {
          try {
            while (
              splitter.take(2, (text, position, print) => {
                expect(print).toBe(printBefore(content, position));
                found.push({ text: text.toString(), position });
              }) > 0
            );
          } catch (error) {
            expect(error).toBeInstanceOf(LineTooLongError);
            splitter.skipLine();
          }
        };
        for (let plan = splitter.plan(content.length); plan !== undefined; plan = splitter.plan(content.length)) {
          expect(splitter.accept(content.subarray(plan.offset, plan.offset + plan.length))).toBe(true);
          takeAll();
        }
        expect(found).toEqual(linesOf(content).filter(({ text }) => text.length <= 12));
      }),
    );
  });

  it('asks for nothing while a line is not complete, and for larger pieces while a line is longer', () => {
    const splitter = new LineSplitter(0, nothing, { chunkBytes: 4, maxLineBytes: 9 });
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
    const splitter = new LineSplitter(0, nothing, { chunkBytes: 16, maxLineBytes: 3 });
    const content = Buffer.from('a\nbcde\n');
    splitter.accept(content);
    expect(splitter.take(9, () => undefined)).toBe(1);
    expect(splitter.plan(content.length)).toEqual({ offset: 0, length: 7 });
    splitter.accept(content);
    expect(() => splitter.take(9, () => undefined)).toThrow('The line at offset 2 has more than 3 bytes');
  });
});
