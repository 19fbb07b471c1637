import type { SourceConnector } from '@sluice/sdk';
import { FileSourceTask } from './file-source.task.js';
import { fileSourceSpec } from './settings.js';

/** Follows one file and makes each of its lines a record. One file is one task. */
export const fileStreamSource: SourceConnector = {
  kind: 'source',
  name: 'FileStreamSource',
  aliases: [
    'FileStreamSourceConnector',
    'org.apache.kafka.connect.file.FileStreamSourceConnector',
    'FileSourceConnector',
    'org.apache.rocketmq.connect.file.FileSourceConnector',
  ],
  version: '0.1.0',
  doc: 'Follows a growing file and sends each of its lines as one record.',
  spec: fileSourceSpec,
  taskConfigs: (config) => [config],
  defaultConverters: { key: 'StringConverter', value: 'StringConverter' },
  exactlyOnceSupport: () => 'supported',
  createTask: () => new FileSourceTask(),
};
