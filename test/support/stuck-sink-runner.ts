import { Role } from '@sluice/core';
import { runRunner } from '@sluice/runner';
import { connectorsOf } from '@sluice/runtime';

type Connector = Awaited<ReturnType<Parameters<typeof runRunner>[1]>>[number];

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

await runRunner(Role.sinkRunner, async () => [...(await connectorsOf(import.meta.url, 'sink')), stuckSink]);
