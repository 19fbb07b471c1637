import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decideReadOn, identifyQueue, type ObservedQueue, type SourceProblemPolicy } from './queue-identity.js';
import { idHash, type LastCopied, type ReadPosition } from './read-position.js';

const last: LastCopied = { storeTime: 500, idHash: idHash('m99') };
const other: LastCopied = { storeTime: 900, idHash: idHash('other') };
/** The flow has copied up to offset 99. */
const at100: ReadPosition = { offset: 100, last };

function seen(minOffset: number, maxOffset: number, firstStoredAt?: number, previous?: LastCopied): ObservedQueue {
  return { minOffset, maxOffset, previous, first: firstStoredAt === undefined ? undefined : { storeTime: firstStoredAt } };
}

interface Cell {
  readonly case: string;
  readonly position?: ReadPosition;
  readonly observed: ObservedQueue;
  readonly expected: object;
}

const same = (proof: string): object => ({ kind: 'same', proof });
const problem = (kind: string, from: number, to: number, count: number): object => ({
  kind: 'problem',
  problem: { kind, from, to, count },
});

const CELLS: readonly Cell[] = [
  { case: 'the message before is the one copied', observed: seen(0, 150, 10, last), expected: same('message') },
  { case: 'it is the last one there', observed: seen(0, 100, 10, last), expected: same('message') },
  { case: 'it is the first one left', observed: seen(99, 150, 500, last), expected: same('message') },
  { case: 'retention took just what was copied', observed: seen(100, 150, 501), expected: same('store-time') },
  { case: 'retention took all, and all was copied', observed: seen(100, 100), expected: same('none') },
  { case: 'retention took 30 that were not copied', observed: seen(130, 150, 700), expected: problem('truncated', 100, 130, 30) },
  { case: 'retention took all, 50 of it not copied', observed: seen(150, 150), expected: problem('truncated', 100, 150, 50) },
  { case: 'made again, and empty', observed: seen(0, 0), expected: problem('recreated', 100, 0, 100) },
  { case: 'made again, and shorter', observed: seen(0, 40, 600), expected: problem('recreated', 100, 40, 60) },
  {
    case: 'made again, and grown to exactly the old offset',
    observed: seen(0, 100, 600, other),
    expected: problem('recreated', 100, 100, 100),
  },
  { case: 'made again, and longer', observed: seen(0, 180, 600, other), expected: problem('recreated', 100, 180, 180) },
  { case: 'older messages at later offsets', observed: seen(100, 150, 400), expected: problem('recreated', 100, 150, 50) },
  { case: 'older messages behind a gap', observed: seen(130, 150, 400), expected: problem('recreated', 100, 150, 20) },
  { case: 'its tail was lost', observed: seen(0, 80, 10), expected: problem('went-backwards', 100, 80, 20) },
  { case: 'all was lost but the start', observed: seen(60, 60), expected: problem('went-backwards', 100, 60, 40) },
  { case: 'its tail was lost and written again', observed: seen(0, 120, 10, other), expected: problem('went-backwards', 100, 120, 120) },
  {
    case: 'equal store time, another id',
    observed: seen(0, 120, 10, { ...last, idHash: other.idHash }),
    expected: problem('went-backwards', 100, 120, 120),
  },
  {
    case: 'equal id, another store time',
    observed: seen(0, 120, 10, { ...last, storeTime: 501 }),
    expected: problem('went-backwards', 100, 120, 120),
  },
  { case: 'nothing stands where the last one copied stood', observed: seen(0, 120, 10), expected: problem('unknown', 100, 120, 120) },
  { case: 'another message, and no first one', observed: seen(0, 120, undefined, other), expected: problem('unknown', 100, 120, 120) },
  { case: 'a broker that contradicts itself', observed: seen(20, 10), expected: problem('unknown', 100, 10, 90) },
  { case: 'offsets below 0', observed: seen(-1, 150, 10, last), expected: problem('unknown', 100, 150, 151) },
  { case: 'a start that is there', position: { offset: 100 }, observed: seen(0, 150, 10, other), expected: same('none') },
  { case: 'a start at the end', position: { offset: 150 }, observed: seen(0, 150, 10), expected: same('none') },
  {
    case: 'a start that retention passed',
    position: { offset: 100 },
    observed: seen(130, 150, 10),
    expected: problem('truncated', 100, 130, 30),
  },
  {
    case: 'a start behind the end',
    position: { offset: 100 },
    observed: seen(0, 80, 10),
    expected: problem('went-backwards', 100, 80, 20),
  },
];

describe('identifyQueue', () => {
  it.each(CELLS)('$case', ({ position = at100, observed, expected }) => {
    expect(identifyQueue(position, observed)).toMatchObject(expected);
  });

  it('names both offsets to people', () => {
    expect(identifyQueue(at100, seen(130, 150, 700))).toMatchObject({
      problem: { reason: 'the queue begins at 130: retention dropped 30 messages that were not copied' },
    });
  });
});

describe('decideReadOn', () => {
  const policies: readonly SourceProblemPolicy[] = ['fail', 'resume-from-earliest', 'skip-and-report'];

  it.each(policies)('reads on in the same queue with %s', (policy) => {
    expect(decideReadOn(at100, seen(0, 150, 10, last), policy)).toEqual({ kind: 'continue', offset: 100, proof: 'message' });
  });

  it.each([
    ['truncated', seen(130, 150, 700), { offset: 130, skipped: 30, repeated: 0 }, { offset: 130, skipped: 30, repeated: 0 }],
    ['recreated', seen(0, 40, 600), { offset: 0, skipped: 0, repeated: 40 }, { offset: 40, skipped: 40, repeated: 0 }],
    ['recreated', seen(0, 100, 600, other), { offset: 0, skipped: 0, repeated: 100 }, { offset: 100, skipped: 100, repeated: 0 }],
    ['recreated', seen(0, 180, 600, other), { offset: 0, skipped: 0, repeated: 100 }, { offset: 100, skipped: 100, repeated: 0 }],
    ['recreated', seen(130, 150, 400), { offset: 130, skipped: 0, repeated: 0 }, { offset: 130, skipped: 0, repeated: 0 }],
    ['went-backwards', seen(20, 80, 10), { offset: 20, skipped: 0, repeated: 60 }, { offset: 80, skipped: 60, repeated: 0 }],
    ['unknown', seen(0, 120, 10), { offset: 0, skipped: 0, repeated: 100 }, { offset: 100, skipped: 100, repeated: 0 }],
    ['unknown', seen(20, 10), { offset: 20, skipped: 0, repeated: 0 }, { offset: 20, skipped: 0, repeated: 0 }],
  ])('%s: %j', (kind, observed, earliest, skip) => {
    expect(decideReadOn(at100, observed, 'fail')).toMatchObject({ kind: 'fail', problem: { kind } });
    expect(decideReadOn(at100, observed, 'resume-from-earliest')).toMatchObject({ kind: 'resume', problem: { kind }, ...earliest });
    expect(decideReadOn(at100, observed, 'skip-and-report')).toMatchObject({ kind: 'resume', problem: { kind }, ...skip });
  });

  it('never reads outside of the queue, nor leaves a message out unreported', () => {
    const message = fc.option(fc.record({ storeTime: fc.nat(9), idHash: fc.constantFrom(idHash('a'), idHash('b')) }), { nil: undefined });
    const position = fc.record({ offset: fc.nat(20), last: message });
    const observed = fc
      .record({ minOffset: fc.nat(20), length: fc.nat(20), previous: message, first: message })
      .map(({ minOffset, length, previous, first }) => ({ minOffset, maxOffset: minOffset + length, previous, first }));
    fc.assert(
      fc.property(position, observed, fc.constantFrom(...policies), (from, queue, policy) => {
        const decision = decideReadOn(from, queue, policy);
        if (decision.kind === 'fail') return;
        expect(decision.offset).toBeGreaterThanOrEqual(queue.minOffset);
        expect(decision.offset).toBeLessThanOrEqual(queue.maxOffset);
        if (decision.kind === 'continue') expect(decision.offset).toBe(from.offset);
        else if (decision.problem.kind !== 'truncated') expect(decision.skipped).toBe(decision.offset - queue.minOffset);
      }),
    );
  });
});
