import type { ConnectValue, Schema } from '@sluice/sdk';

export interface SchemaAndValue {
  readonly value: ConnectValue;
  readonly schema?: Schema;
}

/** Turns one part of a record (key, value or a header's value) into bytes and back. */
export interface Converter {
  /** `null` stays `null`. Throws a {@link ConversionError}. */
  toBytes(value: ConnectValue, schema: Schema | undefined): Uint8Array | null;
  /** `null` stays `null`. Throws a {@link ConversionError}. */
  fromBytes(bytes: Buffer | null): SchemaAndValue;
}

export interface Converters {
  readonly key: Converter;
  readonly value: Converter;
  readonly header: Converter;
}
