import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { sealedWith } from '@sluice/protocol';
import { readTextFile } from '../settings/read-settings.js';
import { ConfigCipher } from './config-cipher.js';
import { KeyRing, parseKeys } from './key-ring.js';

const newKey = (): string => randomBytes(32).toString('base64');
const [one, two] = [newKey(), newKey()];
const warnings: string[] = [];
let folder: string;
let path: string;
let nowMs: number;
let writes = 0;

function write(text: string): void {
  writeFileSync(path, text);
  writes += 1;
  utimesSync(path, writes, writes);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keys-'));
  path = join(folder, 'keys');
  warnings.length = 0;
  nowMs = performance.now();
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function open(): ConfigCipher {
  return new ConfigCipher('cluster', new KeyRing(path, readTextFile, (message) => warnings.push(message)));
}

describe('a file of keys', () => {
  it('has a key on each line', () => {
    const keys = parseKeys('keys', `# of 2026\n a.b-1 = ${one}\r\n\nb=${two.replaceAll('=', '')}\n`);
    expect(keys.map(({ id, bytes }) => [id, bytes.toString('base64')])).toEqual([
      ['a.b-1', one],
      ['b', two],
    ]);
  });

  it.each([
    ['', 'keys: it holds no key'],
    ['x', 'keys: line 1 is not written as id=key'],
    [`\na=${one.slice(4)}`, 'keys: the key a on line 2 is not base64 of 32 bytes'],
    [`a=${one.slice(0, -2)}!!`, 'keys: the key a on line 1 is not base64 of 32 bytes'],
    [`a=${one}\na=${two}`, 'keys: the id a on line 2 comes twice'],
  ])('is refused as %j, without a key in the message', (text, message) => {
    expect(() => parseKeys('keys', text)).toThrow(message);
    expect(() => parseKeys('keys', text)).not.toThrow(one.slice(4, 20));
  });
});

describe('the cipher of a node', () => {
  it('seals with the first key, and opens with all', () => {
    write(`a=${one}`);
    const before = open().seal('c', 'password', 'hunter2');
    write(`b=${two}\na=${one}`);
    const cipher = open();
    expect(sealedWith(cipher.seal('c', 'password', 'hunter2'))).toBe('b');
    expect([cipher.currentKey, cipher.has('a'), cipher.has('c')]).toEqual(['b', true, false]);
    expect(cipher.open('c', 'password', before)).toBe('hunter2');
  });

  it('keeps a value that is sealed already with the first key', () => {
    write(`a=${one}`);
    const cipher = open();
    const before = cipher.seal('c', 'password', 'hunter2');
    expect(cipher.seal('c', 'password', 'hunter2', before)).toBe(before);
    expect(cipher.seal('c', 'password', 'other', before)).not.toBe(before);
    expect(cipher.seal('c', 'url', 'hunter2', before)).not.toBe(before);
  });

  it('keeps a value that is sealed with another key, unless it has to have that of the caller', () => {
    write(`a=${one}`);
    const before = open().seal('c', 'password', 'hunter2');
    write(`b=${two}\na=${one}`);
    const cipher = open();
    expect(cipher.seal('c', 'password', 'hunter2', before)).toBe(before);
    expect(cipher.seal('c', 'password', 'hunter2', before, 'a')).toBe(before);
    const after = cipher.seal('c', 'password', 'hunter2', before, 'b');
    expect([sealedWith(after), cipher.open('c', 'password', after)]).toEqual(['b', 'hunter2']);
    expect(sealedWith(cipher.seal('c', 'password', 'other', before))).toBe('b');
    expect(sealedWith(cipher.seal('c', 'password', 'other', before, 'a'))).toBe('a');
    expect(sealedWith(cipher.seal('c', 'password', 'other', undefined, 'gone'))).toBe('b');
  });

  it('takes a changed file within a second, and none that is wrong', () => {
    write(`a=${one}`);
    const cipher = open();
    write(`b=${two}\na=${one}`);
    expect(sealedWith(cipher.seal('c', 'password', 'x'))).toBe('a');
    nowMs += 1000;
    expect(sealedWith(cipher.seal('c', 'password', 'x'))).toBe('b');
    write('nonsense');
    nowMs += 1000;
    expect(sealedWith(cipher.seal('c', 'password', 'x'))).toBe('b');
    rmSync(path);
    nowMs += 1000;
    expect(sealedWith(cipher.seal('c', 'password', 'x'))).toBe('b');
    expect(warnings).toEqual([
      expect.stringContaining('line 1 is not written as id=key'),
      expect.stringContaining('The keys from before stay'),
    ]);
  });

  it('looks at the file at once for a key that it does not know', () => {
    write(`b=${two}\na=${one}`);
    const sealed = open().seal('c', 'password', 'hunter2');
    write(`a=${one}`);
    const cipher = open();
    expect(() => cipher.open('c', 'password', sealed)).toThrow('encrypted with the key b, which this node does not have');
    write(`b=${two}\na=${one}`);
    expect(cipher.open('c', 'password', sealed)).toBe('hunter2');
  });

  it('stores values as they are without keys', () => {
    const cipher = new ConfigCipher('cluster', undefined);
    expect([cipher.canSeal, cipher.currentKey, cipher.has('a'), cipher.seal('c', 'password', 'x')]).toEqual([false, undefined, false, 'x']);
  });
});
