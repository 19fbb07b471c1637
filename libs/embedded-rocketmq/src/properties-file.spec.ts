import { describe, expect, it } from '@jest/globals';
import { renderProperties } from './properties-file.js';

describe('renderProperties', () => {
  it('writes one key=value line per entry', () => {
    expect(renderProperties({ listenPort: '9876', bindAddress: '127.0.0.1' })).toBe('listenPort=9876\nbindAddress=127.0.0.1\n');
  });

  it('doubles backslashes, for the reader takes them as escapes', () => {
    expect(renderProperties({ path: String.raw`C:\data` })).toBe('path=C:\\\\data\n');
  });

  it('writes what ISO 8859-1 or one line cannot hold as unicode escapes', () => {
    expect(renderProperties({ a: 'ü水\n😀' })).toBe('a=\\u00fc\\u6c34\\u000a\\ud83d\\ude00\n');
  });

  it('keeps a leading space or comment sign part of the value, and separators part of the key', () => {
    expect(renderProperties({ 'a b=c': ' x', d: '#y' })).toBe('a\\ b\\=c=\\ x\nd=\\#y\n');
  });
});
