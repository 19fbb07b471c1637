import { describe, expect, it } from '@jest/globals';
import { formatSettings, parseSettings } from './properties-text.js';

describe('settings as text', () => {
  it('reads one setting per line, up to the first equals sign', () => {
    const text = 'a=1\nempty=\nlist=x;y=z\n\nno setting\r\nnamesrvAddr=127.0.0.1:9876\r\n';
    expect([...parseSettings(text)]).toEqual([
      ['a', '1'],
      ['empty', ''],
      ['list', 'x;y=z'],
      ['namesrvAddr', '127.0.0.1:9876'],
    ]);
  });

  it('writes what Java reads back as it was given', () => {
    const written = formatSettings({ path: String.raw`C:\data`, text: ' ü€ #=:', 'a.b-c_1': '' });
    expect(written.toString('latin1')).toBe('path=C:\\\\data\ntext=\\ \\u00fc\\u20ac #=:\na.b-c_1=\n');
  });

  it('lets no value become a setting of its own', () => {
    expect(() => formatSettings({ safe: 'x\nbrokerRole=SLAVE' })).toThrow('setting safe: allowed is text without control');
    expect(() => formatSettings({ 'x=y\nz': '1' })).toThrow('allowed are 1 or more of [a-zA-Z0-9._-]');
    expect(() => formatSettings({})).toThrow('at least one');
  });
});
