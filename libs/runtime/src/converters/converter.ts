import type { Converter } from '@sluice/sdk';

/** The converters of a connector's records. */
export interface Converters {
  readonly key: Converter;
  readonly value: Converter;
  readonly header: Converter;
}
