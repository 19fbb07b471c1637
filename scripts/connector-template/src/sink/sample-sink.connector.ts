import type { SinkConnector } from '@sluice/sdk';
import { SampleSinkTask } from './sample-sink.task.js';
import { sampleSinkSpec } from './settings.js';

/** Appends the value of each record as one entry. */
export const sampleSink: SinkConnector = {
  kind: 'sink',
  name: 'SampleSink',
  aliases: [],
  version: '0.1.0',
  doc: 'Appends the value of each record to sample, at least once.',
  spec: sampleSinkSpec,
  taskConfigs: (config) => [config],
  defaultConverters: { key: 'StringConverter', value: 'StringConverter' },
  createTask: () => new SampleSinkTask(),
};
