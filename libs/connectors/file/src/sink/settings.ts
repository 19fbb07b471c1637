import type { ConfigSpec } from '@sluice/sdk';

/** The settings of the file sink. Which topics it reads is a setting that every sink has. */
export const fileSinkSpec = {
  file: {
    type: 'string',
    importance: 'high',
    doc: 'Path of the file to append to, as the worker sees it; its folder must exist.',
    nonEmpty: true,
    aliases: ['filename'],
    example: '/var/lib/app/copy.txt',
    group: 'File',
    width: 'long',
    displayName: 'File',
  },
} as const satisfies ConfigSpec;
