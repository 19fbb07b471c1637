import {
  type ConfigOf,
  type ConfigSpec,
  type ConnectValue,
  type Converter,
  type Schema,
  type SchemaAndValue,
  SchemaBuilder,
} from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';
import { writePlainJson } from '../json/json-writer.js';
import { TEXT_ENCODINGS, textEncoding, type TextEncoding } from './text-encoding.js';

const NAME = 'StringConverter';
const UTF_8 = 'UTF-8';
const textSchema: Schema = SchemaBuilder.string().optional().build();

export const stringConverterSpec = {
  encoding: {
    type: 'string',
    importance: 'high',
    default: UTF_8,
    // Kafka Connect's own name, which users write behind the prefix.
    aliases: ['converter.encoding'],
    doc: `The encoding of texts, by any of the names that Java has for it: ${TEXT_ENCODINGS.join(', ')}. A text that it cannot hold is an error.`,
  },
} as const satisfies ConfigSpec;

/**
 * Text. Bytes are passed on as they are; numbers and booleans are written in digits and words, dates in ISO 8601, arrays and objects as JSON.
 */
export class StringConverter implements Converter {
  readonly #encoding: TextEncoding;

  /** @throws TypeError for an encoding that it cannot convert exactly */
  constructor({ encoding }: ConfigOf<typeof stringConverterSpec> = { encoding: UTF_8 }) {
    const found = textEncoding(encoding);
    if (found === undefined) throw new TypeError(`${encoding} given; allowed are ${TEXT_ENCODINGS.join(', ')}`);
    this.#encoding = found;
  }

  /** Whether its bytes are those of a text in a message: then a text needs no conversion. */
  get isUtf8(): boolean {
    return this.#encoding.name === UTF_8;
  }

  toBytes(value: ConnectValue): Uint8Array | null {
    if (value === null || value instanceof Uint8Array) return value;
    const bytes = this.#encoding.encode(textOf(value));
    if (bytes !== undefined) return bytes;
    throw new ConversionError(NAME, `The text has characters that ${this.#encoding.name} cannot hold`);
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null, schema: textSchema };
    // A replacement character would change the record without a word.
    const text = this.#encoding.decode(bytes);
    if (text === undefined) throw new ConversionError(NAME, `The bytes are not ${this.#encoding.name}; ByteArrayConverter takes any bytes`);
    return this.fromText(text);
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
