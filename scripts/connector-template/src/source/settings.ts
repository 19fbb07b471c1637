import type { ConfigSpec } from '@sluice/sdk';

/** The settings of the source. Each becomes a line of the documentation and is checked before a connector is stored. */
export const sampleSourceSpec = {
  path: {
    type: 'string',
    importance: 'high',
    doc: 'Where to read from, as the worker sees it.',
    nonEmpty: true,
    example: '/var/lib/app/sample.jsonl',
  },
  topic: {
    type: 'string',
    importance: 'high',
    doc: 'Topic that the entries go to.',
    topic: 'write',
    nonEmpty: true,
    example: 'sample',
  },
  'batch.size': {
    type: 'int',
    importance: 'low',
    doc: 'The most entries that one poll returns.',
    default: 500,
    min: 1,
    max: 100_000,
  },
} as const satisfies ConfigSpec;
