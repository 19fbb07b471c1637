import type { ConfigSpec } from '@sluice/sdk';

/** The settings of the sink. Which topics it reads is a setting that every sink has. */
export const sampleSinkSpec = {
  path: {
    type: 'string',
    importance: 'high',
    doc: 'Where to write to, as the worker sees it.',
    nonEmpty: true,
    example: '/var/lib/app/sample.jsonl',
  },
} as const satisfies ConfigSpec;
