import { openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { Role } from '@sluice/core';
import type { runRunner } from '@sluice/runner';
import { connectorsOf } from '@sluice/runtime';

type Load = Parameters<typeof runRunner>[1];
type Connector = Awaited<ReturnType<Load>>[number];

/** A sink whose stop never ends, also after its signal is aborted. */
const stuckSink: Connector = {
  kind: 'sink',
  name: 'StuckSink',
  aliases: [],
  version: '1.0.0',
  doc: 'Never stops.',
  spec: {},
  taskConfigs: (config) => [config],
  createTask: () => ({
    start: () => Promise.resolve(),
    open: () => Promise.resolve([]),
    put: () => Promise.resolve(),
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    stop: () => new Promise(() => undefined),
  }),
};

/** A sink whose start reads of a pipe that nobody writes to, in a system call: JavaScript cannot be ended while it lasts. */
const frozenSink: Connector = {
  kind: 'sink',
  name: 'FrozenSink',
  aliases: [],
  version: '1.0.0',
  doc: 'Blocks its thread.',
  spec: { pipe: { type: 'string', importance: 'high', doc: 'The pipe.' } },
  taskConfigs: (config) => [config],
  createTask: () => ({
    start: ({ config }) => {
      readSync(openSync(config['pipe'] ?? '', 'r+'), Buffer.alloc(1));
      return Promise.resolve();
    },
    open: () => Promise.resolve([]),
    put: () => Promise.resolve(),
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  }),
};

const load: Load = async () => [...(await connectorsOf(import.meta.url, 'sink')), stuckSink, frozenSink];
if (isMainThread) await (await import('@sluice/runner')).runRunner(Role.sinkRunner, load, import.meta.url);
else await (await import('@sluice/runner/task-thread')).runTaskThread(load);
