import type { Converter } from '@sluice/sdk';

/** Names the part of a record that a converter could not take. */
export class PartFailure extends Error {
  constructor(
    readonly part: 'key' | 'value' | 'header',
    readonly converter: Converter,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
