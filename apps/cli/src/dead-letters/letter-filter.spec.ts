import { describe, expect, it } from '@jest/globals';
import { letterMessage, QUEUE, SINK_CONTEXT } from '../testing/letter-message.js';
import { readLetter } from './letter.js';
import { type FilterName, type LetterFilter, rejectedBy } from './letter-filter.js';

const ALL: LetterFilter = { stages: [], classes: [], connectors: [], fromMs: undefined, toMs: undefined };

/** The letter was stored at 2,000 ms. */
function verdict(filter: Partial<LetterFilter>, context = SINK_CONTEXT): FilterName | undefined {
  const letter = readLetter(QUEUE, letterMessage(context));
  if (letter === undefined) throw new Error('no letter');
  return rejectedBy(letter, { ...ALL, ...filter });
}

describe('the filters of dead letters', () => {
  it.each([
    [{}, undefined],
    [{ stages: ['TASK_PUT', 'VALUE_CONVERTER'] }, undefined],
    [{ stages: ['TASK_PUT'] }, '--stage'],
    [{ classes: ['ConversionError'] }, undefined],
    [{ classes: ['conversionerror'] }, '--class'],
    [{ connectors: ['orders-out'] }, undefined],
    [{ connectors: ['orders'] }, '--connector'],
    [{ fromMs: 2_000, toMs: 2_001 }, undefined],
    [{ fromMs: 2_001 }, '--from-time'],
    [{ toMs: 2_000 }, '--to-time'],
    [{ stages: ['TASK_PUT'], classes: ['Other'] }, '--stage'],
  ] as const)('%j: %s', (filter, expected) => {
    expect(verdict(filter)).toBe(expected);
  });

  it('take the name of a Java class with or without its package', () => {
    const context = { ...SINK_CONTEXT, '__connect.errors.exception.class.name': 'org.apache.kafka.connect.errors.DataException' };
    expect(verdict({ classes: ['DataException'] }, context)).toBeUndefined();
    expect(verdict({ classes: ['org.apache.kafka.connect.errors.DataException'] }, context)).toBeUndefined();
    expect(verdict({ classes: ['Exception'] }, context)).toBe('--class');
  });

  it.each([
    [{ stages: ['VALUE_CONVERTER'] }, '--stage'],
    [{ classes: ['ConversionError'] }, '--class'],
    [{ connectors: ['orders-out'] }, '--connector'],
    [{ fromMs: 1 }, undefined],
  ] as const)('pass no letter that does not say what they ask for: %j', (filter, expected) => {
    expect(verdict(filter, {})).toBe(expected);
  });
});
