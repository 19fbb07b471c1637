import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from '../errors.js';
import { parseBrokerAddress, vipAddressOf } from './broker-address.js';

describe('parseBrokerAddress', () => {
  it.each([
    ['127.0.0.1:9876', '127.0.0.1', 9876],
    ['broker.example:10911', 'broker.example', 10_911],
    ['[::1]:10911', '::1', 10_911],
    ['::1:10911', '::1', 10_911],
  ])('reads %s', (address, host, port) => {
    expect(parseBrokerAddress(address)).toEqual({ host, port });
  });

  it.each(['', 'host', ':1', 'host:', 'host:0', 'host:65536', 'host:1x', 'host:-1'])('refuses %j', (address) => {
    expect(() => parseBrokerAddress(address)).toThrow(InvalidArgumentError);
  });
});

describe('vipAddressOf', () => {
  it.each([
    ['127.0.0.1:10911', '127.0.0.1:10909'],
    ['[::1]:10911', '[::1]:10909'],
    ['::1:10911', '[::1]:10909'],
  ])('of %s is %s', (address, vip) => {
    expect(vipAddressOf(address)).toBe(vip);
  });
});
