import type { ConfigSpec } from '@sluice/sdk';

/** The settings of the file source. */
export const fileSourceSpec = {
  file: {
    type: 'string',
    importance: 'high',
    doc: 'Path of the file to follow, as the worker sees it; it need not exist yet.',
    nonEmpty: true,
    aliases: ['filename'],
    example: '/var/log/app.log',
    group: 'File',
    width: 'long',
    displayName: 'File',
  },
  topic: {
    type: 'string',
    importance: 'high',
    doc: 'Topic that the lines go to.',
    topic: 'write',
    nonEmpty: true,
    aliases: ['connect.topicname'],
    example: 'app-log',
    group: 'File',
    width: 'medium',
    displayName: 'Topic',
  },
  'batch.size': {
    type: 'int',
    importance: 'low',
    doc: 'The most lines that one poll returns.',
    default: 2000,
    min: 1,
    max: 100_000,
    group: 'File',
    width: 'short',
    displayName: 'Batch size',
  },
} as const satisfies ConfigSpec;
