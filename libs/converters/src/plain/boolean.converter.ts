import { type ConnectValue, type Converter, type Schema, type SchemaAndValue, SchemaBuilder, SchemaType } from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';

const NAME = 'BooleanConverter';
const booleanSchema: Schema = SchemaBuilder.boolean().optional().build();

/** Booleans in one byte, 0 or 1, as Kafka's BooleanSerializer writes them. */
export class BooleanConverter implements Converter {
  toBytes(value: ConnectValue, schema: Schema | undefined): Uint8Array | null {
    if (schema !== undefined && schema.type !== SchemaType.boolean) {
      throw new ConversionError(NAME, `Invalid schema type for BooleanConverter: ${schema.type.toUpperCase()}`);
    }
    if (value === null) return null;
    if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0);
    throw new ConversionError(NAME, `BooleanConverter is not compatible with objects of type ${typeof value}`);
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null, schema: booleanSchema };
    const [byte] = bytes;
    if (bytes.length !== 1) throw new ConversionError(NAME, `Failed to deserialize boolean: ${bytes.length} bytes given; it has 1`);
    if (byte === 0 || byte === 1) return { value: byte === 1, schema: booleanSchema };
    throw new ConversionError(NAME, `Failed to deserialize boolean: the byte ${byte} given; allowed are 0 and 1`);
  }
}
