import { describe, expect, it } from '@jest/globals';
import { reachableAddress } from './reachable-address.js';

describe('reachableAddress', () => {
  it.each([
    ['127.0.0.1', 'IPv4', '127.0.0.1:8083'],
    ['0.0.0.0', 'IPv4', 'node-7:8083'],
    ['::', 'IPv6', 'node-7:8083'],
    ['::1', 'IPv6', '[::1]:8083'],
  ])('of a server on %s (%s) is %s', (address, family, expected) => {
    expect(reachableAddress({ address, family, port: 8083 }, 'node-7')).toBe(expected);
  });
});
