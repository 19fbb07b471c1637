import type { ConfigSpec } from '@sluice/sdk';
import type { InMemoryPlugin } from './in-memory-cluster.js';

const common = {
  name: { type: 'string', importance: 'high', doc: 'Name.', group: 'Common' },
  'connector.class': {
    type: 'class',
    importance: 'high',
    doc: 'Class.',
    group: 'Common',
    aliases: ['connector-class'],
  },
  'tasks.max': { type: 'int', importance: 'high', default: 1, min: 1, doc: 'Tasks.', group: 'Common' },
  file: { type: 'string', importance: 'high', optional: true, doc: 'File.' },
  'store.pin': { type: 'password', importance: 'low', optional: true, doc: 'Opens the store.' },
} as const satisfies ConfigSpec;

export const fileSource: InMemoryPlugin = {
  info: {
    kind: 'source',
    name: 'FileStreamSource',
    aliases: ['org.apache.kafka.connect.file.FileStreamSourceConnector'],
    version: '1.2.3',
  },
  spec: { ...common, topic: { type: 'string', importance: 'high', doc: 'Topic.' } },
};

/** A converter with a secret that its name does not show. */
export const lockedConverter: InMemoryPlugin = {
  info: { kind: 'converter', name: 'LockedConverter', aliases: ['org.acme.LockedConverter'], version: '1.0.0', doc: 'Locks.' },
  spec: { pin: { type: 'password', importance: 'low', optional: true, doc: 'Opens.' } },
};

export const fileSink: InMemoryPlugin = {
  info: { kind: 'sink', name: 'FileStreamSink', aliases: [], version: '1.2.3' },
  spec: { ...common, topics: { type: 'list', importance: 'high', doc: 'Topics.', nonEmpty: true } },
};

export const stringConverter: InMemoryPlugin = {
  info: { kind: 'converter', name: 'StringConverter', aliases: [], version: '1.0.0' },
  spec: { encoding: { type: 'string', importance: 'low', default: 'utf-8', doc: 'Encoding.' } },
};
