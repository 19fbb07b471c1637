import { describe, expect, it } from '@jest/globals';
import { allowsVersion, isVersion, parseCompatibleRange, parseVersionRange, preferVersion } from './plugin-version.js';

describe('versions', () => {
  it.each(['0.1.0', '1.2.3', '1.2.3-rc.1', '1.2.3+build', '10.20.30-x-y.7'])('are semantic: %s', (text) => {
    expect(isVersion(text)).toBe(true);
  });

  it.each(['', '1', '1.2', '01.2.3', '1.2.3.4', 'v1.2.3', '1.2.3-', '1.2.3 ', 'latest'])('are not: %j', (text) => {
    expect(isVersion(text)).toBe(false);
  });

  it('are preferred as releases, the newest first, in the order of semantic versioning', () => {
    const preferred = ['2.0.0', '1.10.0', '1.9.1', '1.9.0', '3.0.0-beta', '3.0.0-alpha.1', '3.0.0-alpha', '3.0.0-10', '3.0.0-2', 'new'];
    expect([...preferred].reverse().sort(preferVersion)).toEqual(preferred);
    expect(preferVersion('1.0.0+a', '1.0.0+b')).toBe(0);
  });
});

describe('ranges', () => {
  const all = ['0.9.0', '1.0.0-rc.1', '1.0.0', '1.4.2', '2.0.0-rc.1', '2.0.0', '3.1.0'];

  it.each<[string, readonly string[]]>([
    ['1.4.2', ['1.4.2']],
    ['1', ['1.0.0']],
    ['2.0.0-rc.1', ['2.0.0-rc.1']],
    ['[2.0]', ['2.0.0']],
    ['[1.0,2.0)', ['1.0.0', '1.4.2', '2.0.0-rc.1']],
    ['(1.0,2.0]', ['1.4.2', '2.0.0-rc.1', '2.0.0']],
    ['[1.4,)', ['1.4.2', '2.0.0-rc.1', '2.0.0', '3.1.0']],
    ['(,1.0)', ['0.9.0', '1.0.0-rc.1']],
    ['[0.9],[3.0, 4.0)', ['0.9.0', '3.1.0']],
    [' latest ', all],
  ])('read %s', (text, allowed) => {
    const range = parseVersionRange(text);
    expect(all.filter((version) => range !== undefined && allowsVersion(range, version))).toEqual(allowed);
  });

  it.each([
    '',
    'newest',
    '^1.0',
    '[1.0',
    '1.0]',
    '(1.0)',
    '[1.0,2.0,3.0]',
    '[a,b]',
    '[2.0,1.0]',
    '[1.0,2.0)[3.0]',
    '[]',
    '[1.0],',
    'x'.repeat(300),
  ])('refuse %j', (text) => {
    expect(parseVersionRange(text)).toBeUndefined();
  });

  it('allow nothing that is no version', () => {
    expect(allowsVersion([], 'new')).toBe(false);
  });
});

describe('what something was built for', () => {
  it.each<[string, string, boolean]>([
    ['1', '1.0.0', true],
    ['1', '1.9.3', true],
    ['1', '2.0.0', false],
    ['1.2', '1.1.9', false],
    ['^1.2.3', '1.2.3', true],
    ['^1.2.3', '1.2.2', false],
    ['0.1', '0.1.7', true],
    ['0.1', '0.2.0', false],
    ['0.2', '0.1.0', false],
    ['0', '0.9.0', true],
    ['[0.1,2.0)', '1.5.0', true],
    ['[0.1,2.0)', '2.0.0', false],
  ])('with %s, %s fits: %s', (text, version, fits) => {
    const range = parseCompatibleRange(text);
    expect(range !== undefined && allowsVersion(range, version)).toBe(fits);
  });

  it.each(['', '*', '>=1', 'latest', '[1'])('is not %j', (text) => {
    expect(parseCompatibleRange(text)).toBeUndefined();
  });
});
