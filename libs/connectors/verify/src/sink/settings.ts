import type { ConfigSpec } from '@sluice/sdk';

/** The settings of the verifier. Which topics it reads is a setting that every sink has. */
export const verifySinkSpec = {
  'report.dir': {
    type: 'string',
    importance: 'high',
    doc: 'Folder of the reports, one per queue; it must exist, and all workers must see the same one.',
    nonEmpty: true,
    example: '/var/lib/app/reports',
    group: 'Report',
    width: 'long',
    displayName: 'Folder of reports',
  },
  'latency.warmup.ms': {
    type: 'long',
    importance: 'low',
    doc:
      'How long after the first record that a task receives of a queue its latencies are start-up. ' +
      'They are in the figures of all records, not in the warm ones. A new owner of a queue starts up again.',
    default: 10_000,
    min: 0,
    group: 'Report',
    width: 'short',
    displayName: 'Warm-up of latencies',
  },
} as const satisfies ConfigSpec;
