import { Role } from '@sluice/core';
import { runnerService, runService } from '@sluice/platform';
import { connectorsOf } from '@sluice/runtime';

type Connector = Parameters<typeof runnerService>[0][number];

/** A sink that never gets ready with its stop, whatever it is told. */
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

const connectors = await connectorsOf(import.meta.url, 'sink');
await runService(Role.sinkRunner, runnerService([...connectors, stuckSink]));
