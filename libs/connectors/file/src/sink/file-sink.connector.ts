import type { SinkConnector } from '@sluice/sdk';
import { FileSinkTask } from './file-sink.task.js';
import { fileSinkSpec } from './settings.js';

/** Appends the values of records to one file. One file has one writer, so there is one task. */
export const fileStreamSink: SinkConnector = {
  kind: 'sink',
  name: 'FileStreamSink',
  aliases: [
    'FileStreamSinkConnector',
    'org.apache.kafka.connect.file.FileStreamSinkConnector',
    'FileSinkConnector',
    'org.apache.rocketmq.connect.file.FileSinkConnector',
  ],
  version: '0.1.0',
  doc: 'Appends the value of each record as one line to a file, exactly once.',
  spec: fileSinkSpec,
  taskConfigs: (config) => [config],
  defaultConverters: { key: 'ByteArrayConverter', value: 'ByteArrayConverter' },
  createTask: () => new FileSinkTask(),
};
