import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { isSealed, openSealed, sealedWith, SealedValueError, sealValue } from './sealed-value.js';

const key = { id: 'k-1', bytes: randomBytes(32) };
const keys = (id: string): Buffer | undefined => (id === 'k-1' ? key.bytes : undefined);
const place = { clusterId: 'c', connector: 'a', setting: 'password' };

describe('a sealed value', () => {
  it.each(['hunter2', '', 'ä€𝄞\n', 'x'.repeat(100_000)])('opens to what was sealed', (value) => {
    const sealed = sealValue(value, key, place);
    expect([isSealed(sealed), sealedWith(sealed), openSealed(sealed, keys, place)]).toEqual([true, 'k-1', value]);
    if (value !== '') expect(sealed).not.toContain(value);
  });

  it('is another one each time', () => {
    expect(sealValue('hunter2', key, place)).not.toBe(sealValue('hunter2', key, place));
  });

  it.each([
    ['of another cluster', { ...place, clusterId: 'd' }],
    ['of another connector', { ...place, connector: 'b' }],
    ['of another setting', { ...place, setting: 'url' }],
  ])('does not open as that %s', (_, other) => {
    expect(() => openSealed(sealValue('hunter2', key, place), keys, other)).toThrow(SealedValueError);
  });

  it('does not open once any of its characters changed', () => {
    const sealed = sealValue('hunter2', key, place);
    const data = sealed.lastIndexOf(':') + 1;
    for (let at = data; at < sealed.length; at += 1) {
      const changed = `${sealed.slice(0, at)}${sealed.charAt(at) === 'A' ? 'Q' : 'A'}${sealed.slice(at + 1)}`;
      expect(() => openSealed(changed, keys, place)).toThrow(/it does not open with the key k-1/);
    }
    expect(() => openSealed(sealed.slice(0, data + 8), keys, place)).toThrow(SealedValueError);
  });

  it('names the key that is missing, and nothing of the value', () => {
    const sealed = sealValue('hunter2', { ...key, id: 'k-2' }, place);
    expect(() => openSealed(sealed, keys, place)).toThrow(
      expect.objectContaining({ missingKey: 'k-2', message: expect.not.stringContaining('hunter2') }),
    );
    expect(() => openSealed('sluice-sealed:2:k-1:AAAA', keys, place)).toThrow('not an encrypted value that this version reads');
  });
});
