import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { emptyState } from '@sluice/core';
import type { ScopedLog } from '../logging/node-log.js';
import { NodeFile, NodeStore } from './node-store.js';
import { StatePersister, type ExtraFiles } from './state-persister.js';

const anHour = 3_600_000;

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
    const log: Pick<ScopedLog, 'error'> = {
      error: (message: string) => {
        errors.push(message);
      },
    };
    return new StatePersister(store, emptyState, extra, intervals, log as ScopedLog);
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

  it('goes on with the others where one cannot be had', async () => {
    const position = (): Promise<never> => Promise.reject(new Error('no broker'));
    const persisting = persister({ position }, { config: 1, position: 1, offset: 1 });
    persisting.start();
    await untilWritten(NodeFile.offset);
    await persisting.stop();
    expect(errors[0]).toContain('no broker');
    expect(await store.read(NodeFile.position)).toBeUndefined();
  });
});
