import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { emptyState, fromFiles, TaskTable, type ClusterState, type TaskState } from '@sluice/core';
import type { ScopedLogger } from '../logging/process-logger.js';
import { NodeFile, NodeStore } from './node-store.js';
import { StatePersister, type ExtraFiles } from './state-persister.js';

const anHour = 3_600_000;
const nothing = (): void => undefined;
const quiet: ScopedLogger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

describe('StatePersister', () => {
  let directory: string;
  let store: NodeStore;
  let errors: string[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-persister-'));
    store = await NodeStore.open(directory, 'n');
    errors = [];
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  const persister = (extra: ExtraFiles, intervals: { config: number; position: number; offset: number }) => {
    const log: Pick<ScopedLogger, 'error'> = {
      error: (message: string) => {
        errors.push(message);
      },
    };
    return new StatePersister(store, emptyState, extra, intervals, log as ScopedLogger);
  };
  const untilWritten = async (file: NodeFile): Promise<unknown> => {
    const signal = AbortSignal.timeout(20_000);
    while (!signal.aborted) {
      const content = await store.read(file);
      if (content !== undefined) return content;
      await delay(5);
    }
    throw new Error(`${file} was not written`);
  };

  it('writes each file at its own interval, and all of them at the end', async () => {
    const persisting = persister({}, { config: 1, position: anHour, offset: 1 });
    persisting.start();
    await untilWritten(NodeFile.connectorConfig);
    await untilWritten(NodeFile.taskConfig);
    await untilWritten(NodeFile.offset);
    expect(await store.read(NodeFile.position)).toBeUndefined();
    await persisting.stop();
    expect(await store.read(NodeFile.position)).toEqual({ version: 3, queues: [] });
  });

  it('writes the others where one is unavailable', async () => {
    const position = (): Promise<never> => Promise.reject(new Error('no broker'));
    const persisting = persister({ position }, { config: 1, position: 1, offset: 1 });
    persisting.start();
    await untilWritten(NodeFile.offset);
    await persisting.stop();
    expect(errors[0]).toContain('no broker');
    expect(await store.read(NodeFile.position)).toBeUndefined();
  });

  it('writes the tasks only where they have changed, and nothing where only renewals were read', async () => {
    let state: ClusterState = { ...emptyState(), head: { offset: 1, seq: 1, digest: 'a' }, connectors: new Map() };
    const writes: string[] = [];
    const write = store.write.bind(store);
    store.write = (file, content) => {
      writes.push(file);
      return write(file, content);
    };
    const persisting = new StatePersister(store, () => state, {}, { config: 1, position: anHour, offset: anHour }, quiet);
    persisting.start();
    const untilWrites = async (count: number): Promise<void> => {
      while (writes.length < count) await delay(2);
    };
    await untilWrites(2);
    state = { ...state, head: { offset: 2, seq: 2, digest: 'b' } };
    await delay(50);
    expect(writes).toEqual([NodeFile.taskConfig, NodeFile.connectorConfig]);
    state = { ...state, head: { offset: 3, seq: 3, digest: 'c' }, connectors: new Map() };
    await untilWrites(3);
    expect(writes.slice(2)).toEqual([NodeFile.connectorConfig]);
    const read = async (): Promise<ClusterState | undefined> =>
      fromFiles(await store.read(NodeFile.connectorConfig), await store.read(NodeFile.taskConfig));
    while ((await read())?.head.seq !== 3) await delay(2);
    state = { ...state, head: { offset: 4, seq: 4, digest: 'd' } };
    await persisting.stop();
    expect((await read())?.head.seq).toBe(4);
    expect(writes.filter((file) => file === NodeFile.taskConfig)).toHaveLength(1);
  });

  it('leaves time to the event loop while it writes many tasks', async () => {
    const tasks = Array.from({ length: 20_000 }, (_, n): TaskState => {
      const id = { connector: `c${n % 2_000}`, index: Math.floor(n / 2_000) };
      return { id, type: 'source', overrides: { file: 'x'.repeat(100) }, committed: true };
    });
    const state: ClusterState = {
      ...emptyState(),
      tasks: TaskTable.of(tasks),
      head: { offset: 1, seq: 1, digest: 'a' },
    };
    let turns = 0;
    let isWriting = true;
    const count = (): void => {
      turns += 1;
      if (isWriting) setImmediate(count);
    };
    const persisting = new StatePersister(store, () => state, {}, { config: anHour, position: anHour, offset: anHour }, quiet);
    setImmediate(count);
    await persisting.stop();
    isWriting = false;
    const { size } = await stat(join(store.directory, NodeFile.taskConfig));
    expect(turns).toBeGreaterThan(size / 131_072);
    const read = fromFiles(await store.read(NodeFile.connectorConfig), await store.read(NodeFile.taskConfig));
    expect([...read!.tasks.values()]).toEqual([...state.tasks.values()]);
  });
});
