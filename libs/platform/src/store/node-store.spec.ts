import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeFile, NodeStore } from './node-store.js';

describe('NodeStore', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'node-store-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('gives every start an incarnation of its own and names the one before, which the lock proves dead', async () => {
    const first = await NodeStore.open(root, 'n1');
    expect(first.supersedes).toBeUndefined();
    await first.close();
    const second = await NodeStore.open(root, 'n1');
    expect(second.supersedes).toBe(first.incarnation);
    expect(second.incarnation).not.toBe(first.incarnation);
    await second.close();
  });

  it('refuses a directory that a living node holds', async () => {
    const first = await NodeStore.open(root, 'n1');
    await expect(NodeStore.open(root, 'n1')).rejects.toThrow(String(process.pid));
    await first.close();
  });

  it('reads back what was written and leaves no temporary file', async () => {
    const store = await NodeStore.open(root, 'n1');
    await store.write(NodeFile.position, { version: 1, queues: [] });
    expect(await store.read(NodeFile.position)).toEqual({ version: 1, queues: [] });
    expect((await readdir(store.directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await store.close();
  });

  it('takes a file that is missing or damaged as absent: the topics hold the truth', async () => {
    const store = await NodeStore.open(root, 'n1');
    expect(await store.read(NodeFile.offset)).toBeUndefined();
    await writeFile(join(store.directory, NodeFile.offset), '{"version": 1, "gro');
    expect(await store.read(NodeFile.offset)).toBeUndefined();
    await store.close();
  });

  it('forgets its copies when told to', async () => {
    const store = await NodeStore.open(root, 'n1');
    await store.write(NodeFile.taskConfig, {});
    await store.forget();
    expect(await store.read(NodeFile.taskConfig)).toBeUndefined();
    await store.close();
  });
});
