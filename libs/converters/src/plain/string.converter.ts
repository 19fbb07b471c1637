import { isUtf8 } from 'node:buffer';
import { type ConfigSpec, type ConnectValue, type Converter, type Schema, type SchemaAndValue, SchemaBuilder } from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';
import { writePlainJson } from '../json/json-writer.js';

const NAME = 'StringConverter';
const textSchema: Schema = SchemaBuilder.string().optional().build();

export const stringConverterSpec = {
  encoding: {
    type: 'string',
    importance: 'low',
    default: 'UTF-8',
    oneOf: ['UTF-8', 'utf-8', 'UTF8', 'utf8'],
    doc: 'The encoding of texts; only UTF-8 is supported.',
  },
} as const satisfies ConfigSpec;

/**
 * Text in UTF-8. Bytes are passed on as they are; numbers and booleans are written in digits and words, dates in ISO 8601, arrays
 * and objects as JSON.
 */
export class StringConverter implements Converter {
  toBytes(value: ConnectValue): Uint8Array | null {
    if (value === null || value instanceof Uint8Array) return value;
    return Buffer.from(textOf(value), 'utf8');
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null, schema: textSchema };
    // A replacement character would change the record without a word.
    if (!isUtf8(bytes)) throw new ConversionError(NAME, 'The bytes are not UTF-8; ByteArrayConverter takes any bytes');
    return this.fromText(bytes.toString('utf8'));
  }

  /** Returns what {@link fromBytes} returns of the bytes of a text. */
  fromText(text: string): SchemaAndValue {
    return { value: text, schema: textSchema };
  }
}

function textOf(value: Exclude<ConnectValue, null | Uint8Array>): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  if (!(value instanceof Date)) return writePlainJson(NAME, value);
  if (Number.isNaN(value.getTime())) throw new ConversionError(NAME, 'The date is invalid');
  return value.toISOString();
}
