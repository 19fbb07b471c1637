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
} as const satisfies ConfigSpec;
