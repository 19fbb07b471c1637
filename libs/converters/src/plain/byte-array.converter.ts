import { type ConnectValue, type Converter, type Schema, type SchemaAndValue, SchemaBuilder, SchemaType } from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';

const NAME = 'ByteArrayConverter';
const bytesSchema: Schema = SchemaBuilder.bytes().optional().build();

/** Passes bytes on untouched, also those of a text; refuses everything else. */
export class ByteArrayConverter implements Converter {
  toBytes(value: ConnectValue, schema: Schema | undefined): Uint8Array | null {
    if (schema !== undefined && schema.type !== SchemaType.bytes && schema.type !== SchemaType.string) {
      throw new ConversionError(NAME, `Invalid schema type for ByteArrayConverter: ${schema.type.toUpperCase()}`);
    }
    if (value === null || value instanceof Uint8Array) return value;
    throw new ConversionError(NAME, `It is not compatible with objects of type ${typeof value}; bytes are needed`);
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    return { value: bytes, schema: bytesSchema };
  }
}
