import type { SinkConnector } from '@sluice/sdk';
import { verifySinkSpec } from './settings.js';
import { VerifySinkTask } from './verify-sink.task.js';

/** Checks the records of the generator, `DatagenSource`, in a test or trial. */
export const verifySink: SinkConnector = {
  kind: 'sink',
  name: 'VerifySink',
  aliases: [],
  version: '0.1.0',
  doc: 'Checks the records of DatagenSource for gaps, duplicates, disorder and damage, and reports what it finds.',
  spec: verifySinkSpec,
  taskConfigs: (config, maxTasks) => Array.from({ length: maxTasks }, () => config),
  defaultConverters: { key: 'ByteArrayConverter', value: 'ByteArrayConverter' },
  createTask: () => new VerifySinkTask(),
};
