import { openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { Role } from '@sluice/core';
import type { Connector } from '@sluice/sdk';

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

if (isMainThread) await (await import('@sluice/runner')).runRunner(Role.sinkRunner, import.meta.url, [stuckSink, frozenSink]);
else await (await import('@sluice/runner/task-thread')).runTaskThread([stuckSink, frozenSink]);
