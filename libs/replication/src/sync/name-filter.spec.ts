import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { namesItself, reservedGroup, takesName } from './name-filter.js';

describe('takesName', () => {
  it('is what a regular expression with .* for each star says', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
    fc.assert(
      fc.property(pattern, pattern, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 }), (include, exclude, name) => {
        const matches = (text: string): boolean => new RegExp(`^${text.replaceAll('*', '.*')}$`).test(name);
        expect(takesName({ include: [include], exclude: [exclude] }, name)).toBe(matches(include) && !matches(exclude));
      }),
    );
  });

  it('takes what one of several patterns takes, and knows what is named itself', () => {
    const filter = { include: ['TOOLS_CONSUMER', 'orders-*'], exclude: ['*-test'] };
    expect(['orders-1', 'orders-test', 'TOOLS_CONSUMER', 'bills'].map((name) => takesName(filter, name))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(namesItself(filter, 'TOOLS_CONSUMER')).toBe(true);
    expect(namesItself(filter, 'orders-1')).toBe(false);
  });
});

describe('reservedGroup', () => {
  it.each([
    ['TOOLS_CONSUMER', 'a group of RocketMQ itself'],
    ['CID_RMQ_SYS_TRANS', 'a group of RocketMQ itself'],
    ['CID_RMQ_SYS_REPLICATOR_x', 'a group of RocketMQ itself'],
    ['sluice-c-rpc-node', 'a group of Sluice itself'],
    ['orders', undefined],
  ])('%s: %s', (group, expected) => {
    expect(reservedGroup(group)).toBe(expected);
  });
});
