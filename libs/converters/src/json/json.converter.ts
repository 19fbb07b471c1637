import { isUtf8 } from 'node:buffer';
import {
  type ConfigOf,
  type ConfigSpec,
  type ConnectValue,
  type Converter,
  isJsonObject,
  type JsonValue,
  parseJson,
  plainJson,
  requireSchema,
  type Schema,
  type SchemaAndValue,
} from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';
import { JsonReader } from './json-reader.js';
import { JsonSchemaCodec } from './json-schema-codec.js';
import { DECIMAL_FORMAT_FIELD, decimalFormatOf, JsonWriter } from './json-writer.js';
import { KnownSchemas } from './known-schemas.js';

const NAME = 'JsonConverter';
/** Lists and objects inside of each other. What handles a value later, such as a sink, may use the stack once or more for each. */
const MAX_DEPTH = 500;

export const jsonConverterSpec = {
  'schemas.enable': {
    type: 'boolean',
    importance: 'high',
    default: true,
    doc: 'Whether each value travels with its schema, as an object of schema and payload.',
  },
  'decimal.format': DECIMAL_FORMAT_FIELD,
  'replace.null.with.default': {
    type: 'boolean',
    importance: 'low',
    default: true,
    doc: "Whether a null becomes the default of the field's schema, where it has one. A field that is left out always does.",
  },
  'schemas.cache.size': {
    type: 'int',
    importance: 'low',
    default: 1000,
    min: 0,
    doc: 'How many schemas of records that were read are kept, so that each is parsed once; 0 keeps none.',
  },
  'schema.content': {
    type: 'string',
    importance: 'high',
    optional: true,
    doc: 'The schema of all values that are read, in the JSON of an envelope. With it, and `schemas.enable`, values are read without an envelope.',
    example: '{"type":"struct","fields":[{"field":"id","type":"string","optional":false}]}',
  },
} as const satisfies ConfigSpec;

/**
 * JSON in the form of Kafka Connect's JsonConverter: with `schemas.enable` an envelope `{"schema": ..., "payload": ...}`, without it
 * the plain value. Bytes and decimals are base64; whole numbers keep all their digits.
 */
export class JsonConverter implements Converter {
  readonly #hasEnvelope: boolean;
  readonly #reader: JsonReader;
  readonly #writer: JsonWriter;
  readonly #schemas: JsonSchemaCodec;
  readonly #known: KnownSchemas;
  readonly #given: Schema | undefined;

  /** @throws ConversionError when `schema.content` is no schema */
  constructor(settings: ConfigOf<typeof jsonConverterSpec>) {
    this.#hasEnvelope = settings['schemas.enable'];
    const replacesNullWithDefault = settings['replace.null.with.default'];
    const decimalFormat = decimalFormatOf(settings['decimal.format']);
    this.#reader = new JsonReader({ replacesNullWithDefault });
    this.#writer = new JsonWriter({ decimalFormat, replacesNullWithDefault });
    this.#schemas = new JsonSchemaCodec(this.#reader, this.#writer);
    this.#known = new KnownSchemas(settings['schemas.cache.size']);
    const content = settings['schema.content']?.trim() ?? '';
    this.#given = content === '' ? undefined : converting(() => this.#schemas.read(parse(content, MAX_DEPTH)));
  }

  toBytes(value: ConnectValue, schema: Schema | undefined): Uint8Array | null {
    if (value === null) return null;
    const payload = converting(() => this.#payload(value, schema));
    // Readers refuse it: better the source fails than every sink.
    if (payload.length > 2 * MAX_DEPTH && isDeeper(value, MAX_DEPTH - (this.#hasEnvelope ? 1 : 0))) throw tooDeep();
    if (!this.#hasEnvelope) return Buffer.from(payload, 'utf8');
    const schemaJson = schema === undefined ? 'null' : converting(() => this.#schemas.textOf(schema));
    return Buffer.from(`{"schema":${schemaJson},"payload":${payload}}`, 'utf8');
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null };
    return converting(() => {
      if (!isUtf8(bytes)) throw new ConversionError(NAME, 'The bytes are not UTF-8');
      const text = bytes.toString('utf8', startOfText(bytes));
      if (this.#hasEnvelope && this.#given !== undefined) {
        return { value: this.#reader.read(parse(text, MAX_DEPTH), this.#given, 'payload'), schema: this.#given };
      }
      return this.#hasEnvelope ? (this.#ofKnownSchema(text) ?? this.#fromEnvelope(text)) : { value: parse(text, MAX_DEPTH) };
    });
  }

  #payload(value: ConnectValue, schema: Schema | undefined): string {
    if (schema === undefined) return plainJson(value);
    requireSchema(schema);
    return this.#writer.write(value, schema, 'payload');
  }

  /** Returns undefined where the schema was not read before, or where the text is no envelope: its error names what is wrong. */
  #ofKnownSchema(text: string): SchemaAndValue | undefined {
    const known = this.#known.of(text);
    if (known === undefined) return undefined;
    let payload: JsonValue;
    try {
      payload = parse(known.payload, MAX_DEPTH - 1);
    } catch {
      return undefined;
    }
    return { value: this.#reader.read(payload, known.schema, 'payload'), schema: known.schema };
  }

  #fromEnvelope(text: string): SchemaAndValue {
    const json = parse(text, MAX_DEPTH);
    const { schema: schemaJson, payload } = isJsonObject(json) && Object.keys(json).length === 2 ? json : {};
    if (schemaJson === undefined || payload === undefined) {
      throw new ConversionError(
        NAME,
        'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. ' +
          'If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.',
      );
    }
    if (schemaJson === null) return { value: payload };
    const schema = this.#schemas.read(schemaJson);
    this.#known.note(text, schema);
    return { value: this.#reader.read(payload, schema, 'payload'), schema };
  }
}

/** Some writers put a mark of the byte order before their JSON; readers may ignore it (RFC 8259, section 8.1). */
function startOfText(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

function parse(text: string, levels: number): JsonValue {
  let json: JsonValue;
  try {
    json = parseJson(text);
  } catch (error) {
    // Without its cause: V8 quotes the text.
    throw new ConversionError(NAME, `The bytes are not JSON: ${whyNoJson((error as Error).message)}`);
  }
  // Each level takes two brackets.
  if (text.length > 2 * levels && isDeeper(json, levels)) throw tooDeep();
  return json;
}

/** Returns what V8 says about a text that is not JSON, without what stands in it. */
function whyNoJson(message: string): string {
  if (message.startsWith('Unexpected end')) return 'they end too early';
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  return position === undefined ? 'a character is not expected' : `the character at position ${position} is not expected`;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if (levels === 0) return true;
  const items = value instanceof Map ? [...value.keys(), ...value.values()] : Object.values(value);
  for (const item of items) if (isDeeper(item, levels - 1)) return true;
  return false;
}

function tooDeep(): ConversionError {
  const limit = String(MAX_DEPTH);
  return new ConversionError(NAME, `The JSON has lists or objects in more than ${limit} levels; at most ${limit} are allowed`);
}

/** Values nested too deep end in a `RangeError`, which says nothing of the record. */
function converting<T>(convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    if (error instanceof ConversionError) throw error;
    throw new ConversionError(NAME, (error as Error).message, error);
  }
}
