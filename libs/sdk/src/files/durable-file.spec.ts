import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readTextIfPresent, writeFileDurably } from './durable-file.js';

describe('writeFileDurably', () => {
  it('replaces the content and leaves nothing else behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-durable-'));
    const path = join(folder, 'state.json');
    await writeFileDurably(path, 'a long first content');
    await writeFileDurably(path, Buffer.from('second'));
    expect(await readFile(path, 'utf8')).toBe('second');
    expect(await readdir(folder)).toEqual(['state.json']);
    await rm(folder, { recursive: true });
  });
});

describe('readTextIfPresent', () => {
  it('distinguishes a missing file from one that cannot be read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-durable-'));
    await writeFileDurably(join(folder, 'there'), 'text');
    expect(await readTextIfPresent(join(folder, 'there'))).toBe('text');
    expect(await readTextIfPresent(join(folder, 'not there'))).toBeUndefined();
    await expect(readTextIfPresent(folder)).rejects.toThrow('EISDIR');
    await rm(folder, { recursive: true });
  });
});
