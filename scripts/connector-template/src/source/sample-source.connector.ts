import type { SourceConnector } from '@sluice/sdk';
import { SampleSourceTask } from './sample-source.task.js';
import { sampleSourceSpec } from './settings.js';

/** Sends each entry of sample as one record. One system is one task. */
export const sampleSource: SourceConnector = {
  kind: 'source',
  name: 'SampleSource',
  aliases: [],
  version: '0.1.0',
  doc: 'Sends each entry of sample as one record.',
  spec: sampleSourceSpec,
  taskConfigs: (config) => [config],
  defaultConverters: { key: 'StringConverter', value: 'StringConverter' },
  createTask: () => new SampleSourceTask(),
};
