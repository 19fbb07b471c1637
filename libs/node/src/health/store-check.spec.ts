import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeCheck } from './store-check.js';

describe('storeCheck', () => {
  const { signal } = new AbortController();
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-store-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('is right about a directory that takes a write, and leaves nothing there', async () => {
    expect(await storeCheck(directory).check(signal)).toEqual({ path: directory });
    expect(await readdir(directory)).toEqual([]);
  });

  it('says what to do about one that is gone', async () => {
    await rm(directory, { recursive: true });
    await expect(storeCheck(directory).check(signal)).rejects.toThrow(
      `The node cannot write to ${directory} (ENOENT), the directory is gone: restart the node`,
    );
  });
});
