import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { NodeFile, NodeIdInUseError, NodeStore, nodeThatKnows } from './node-store.js';

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
    const second = NodeStore.open(root, 'n1');
    await expect(second).rejects.toThrow(NodeIdInUseError);
    await expect(second).rejects.toThrow(String(process.pid));
    await expect(second).rejects.toThrow('SLUICE_NODE_ID');
    await first.close();
  });

  it('makes an id for a node without one, and keeps it for the next start', async () => {
    const first = await NodeStore.openUnnamed(root, 'sink-runner');
    expect(first.nodeId).toMatch(/^sink-runner-[0-9a-f]{8}$/);
    await first.close();
    const again = await NodeStore.openUnnamed(root, 'sink-runner');
    expect([again.nodeId, again.supersedes]).toEqual([first.nodeId, first.incarnation]);
    const beside = await NodeStore.openUnnamed(root, 'sink-runner');
    expect(beside.nodeId).not.toBe(first.nodeId);
    await again.close();
    await beside.close();
  });

  it('makes ids per role and takes none that was given', async () => {
    const given = await NodeStore.open(root, 'sink-runner-1');
    await given.close();
    const sink = await NodeStore.openUnnamed(root, 'sink-runner');
    expect(sink.nodeId).not.toBe('sink-runner-1');
    await sink.close();
    const source = await NodeStore.openUnnamed(root, 'source-runner');
    expect(source.nodeId).toMatch(/^source-runner-/);
    await source.close();
  });

  it('lets only its owner read the files: they hold settings', async () => {
    const store = await NodeStore.open(root, 'n1');
    await writeFile(join(root, 'n1', `${NodeFile.connectorConfig}.tmp`), '', { mode: 0o644 });
    await store.write(NodeFile.connectorConfig, ['{}']);
    for (const file of [NodeFile.connectorConfig, 'node.json']) {
      expect((await stat(join(root, 'n1', file))).mode & 0o777).toBe(0o600);
    }
    await store.close();
  });

  it('takes from others the right to read what an older start left', async () => {
    const aside = join(root, 'n1', 'replaced-2026');
    await mkdir(aside, { recursive: true, mode: 0o755 });
    const files = [...Object.values(NodeFile), 'node.json', `${NodeFile.position}.tmp`].map((name) => join(root, 'n1', name));
    files.push(join(aside, NodeFile.taskConfig));
    for (const file of files) await writeFile(file, '{}', { mode: 0o644 });
    const store = await NodeStore.open(root, 'n1');
    const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
    expect(await Promise.all(files.map(modeOf))).toEqual(files.map(() => 0o600));
    expect(await Promise.all([join(root, 'n1'), aside].map(modeOf))).toEqual([0o700, 0o700]);
    await store.close();
  });

  it('reads back what was written and leaves no temporary file', async () => {
    const store = await NodeStore.open(root, 'n1');
    await store.write(NodeFile.position, ['{"version":1,', '"queues":[]}']);
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

  it('remembers the log that the node has read', async () => {
    const first = await NodeStore.open(root, 'n1');
    expect(first.log).toBeUndefined();
    const log = { clusterId: 'c', logId: 'log-1', broker: 'b' };
    expect(await nodeThatKnows('c', root)).toBeUndefined();
    await first.rememberLog(log);
    await first.close();
    const second = await NodeStore.open(root, 'n1');
    expect([second.log, second.supersedes]).toEqual([log, first.incarnation]);
    expect(await nodeThatKnows('c', root)).toBe(second.directory);
    expect(await nodeThatKnows('other', root)).toBeUndefined();
    expect(await nodeThatKnows('c', join(root, 'nowhere'))).toBeUndefined();
    await second.close();
  });

  it('puts its copies aside on demand, and keeps only some of them', async () => {
    const store = await NodeStore.open(root, 'n1');
    await store.write(NodeFile.taskConfig, ['{"first":true}']);
    const aside = await store.putAside();
    expect(await store.read(NodeFile.taskConfig)).toBeUndefined();
    expect(JSON.parse(await readFile(join(aside!, NodeFile.taskConfig), 'utf8'))).toEqual({ first: true });
    expect(await store.putAside()).toBeUndefined();
    for (let i = 0; i < 6; i += 1) {
      await store.write(NodeFile.taskConfig, [JSON.stringify({ i })]);
      await store.putAside();
      await delay(2);
    }
    expect((await readdir(store.directory)).filter((name) => name.startsWith('replaced-'))).toHaveLength(5);
    await expect(readdir(aside!)).rejects.toThrow('ENOENT');
    await store.close();
  });
});
