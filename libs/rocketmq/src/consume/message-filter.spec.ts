import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from '../errors.js';
import { compileFilter } from './message-filter.js';

const tagged = (tag: string | undefined): { property(name: string): string | undefined } => ({
  property: (name) => (name === 'TAGS' ? tag : undefined),
});

describe('message filters', () => {
  it('by tags compare the tags themselves, not their hash codes', () => {
    const filter = compileFilter({ tags: ' Aa||b ' });
    expect(filter).toMatchObject({ expressionType: 'TAG', expression: 'Aa || b', isAll: false });
    expect(filter.matches(tagged('Aa'))).toBe(true);
    expect(filter.matches(tagged('b'))).toBe(true);
    // 'Aa' and 'BB' have the same hash code in Java.
    expect(filter.matches(tagged('BB'))).toBe(false);
    expect(filter.matches(tagged(undefined))).toBe(false);
  });

  it('are none where none is given or all tags are wanted', () => {
    for (const filter of [compileFilter(undefined), compileFilter({ tags: '*' })]) {
      expect(filter).toMatchObject({ expressionType: 'TAG', expression: '*', isAll: true });
      expect(filter.matches(tagged(undefined))).toBe(true);
    }
  });

  it('by SQL92 are the broker’s', () => {
    const filter = compileFilter({ sql92: ' a > 3 ' });
    expect(filter).toMatchObject({ expressionType: 'SQL92', expression: 'a > 3', isAll: false });
    expect(filter.matches(tagged(undefined))).toBe(true);
  });

  it.each([{ tags: '' }, { tags: 'a ||' }, { tags: '|| a' }, { tags: 'a || || b' }, { sql92: ' ' }])(
    'refuse what says nothing: %j',
    (filter) => {
      expect(() => compileFilter(filter)).toThrow(InvalidArgumentError);
    },
  );
});
