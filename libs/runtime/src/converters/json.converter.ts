import { isUtf8 } from 'node:buffer';
import {
  type ConfigOf,
  type ConfigSpec,
  type ConnectValue,
  type Schema,
  isJsonObject,
  type JsonValue,
  parseJson,
  type Converter,
  type SchemaAndValue,
} from '@sluice/sdk';
import { ConversionError } from './conversion-error.js';
import { readJson } from './json-reader.js';
import { readSchema, schemaText } from './json-schema-codec.js';
import { writeJson, writePlainJson } from './json-writer.js';

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
  'decimal.format': {
    type: 'string',
    importance: 'low',
    default: 'BASE64',
    oneOf: ['BASE64', 'base64'],
    doc: 'How decimals are written; digits (NUMERIC) are not supported yet.',
  },
  'replace.null.with.default': {
    type: 'string',
    importance: 'low',
    default: 'true',
    oneOf: ['true'],
    doc: "A null becomes the default of the field's schema where it has one; keeping the null (false) is not supported yet.",
  },
  'schemas.cache.size': {
    type: 'int',
    importance: 'low',
    default: 1000,
    min: 0,
    doc: 'Has no effect: texts of schemas are kept as long as the schemas are in use.',
  },
} as const satisfies ConfigSpec;

/**
 * JSON in the form of Kafka Connect's JsonConverter: with `schemas.enable` an envelope `{"schema": ..., "payload": ...}`, without it
 * the plain value. Bytes and decimals are base64; whole numbers keep all their digits.
 */
export class JsonConverter implements Converter {
  readonly #hasEnvelope: boolean;

  constructor(settings: Pick<ConfigOf<typeof jsonConverterSpec>, 'schemas.enable'>) {
    this.#hasEnvelope = settings['schemas.enable'];
  }

  toBytes(value: ConnectValue, schema: Schema | undefined): Uint8Array | null {
    if (value === null) return null;
    const payload = converting(() => (schema === undefined ? writePlainJson(NAME, value) : writeJson(NAME, value, schema)));
    // Readers refuse it: better the source fails than every sink.
    if (payload.length > 2 * MAX_DEPTH && isDeeper(value, MAX_DEPTH - (this.#hasEnvelope ? 1 : 0))) throw tooDeep();
    if (!this.#hasEnvelope) return Buffer.from(payload, 'utf8');
    const schemaJson = schema === undefined ? 'null' : schemaText(schema);
    return Buffer.from(`{"schema":${schemaJson},"payload":${payload}}`, 'utf8');
  }

  fromBytes(bytes: Buffer | null): SchemaAndValue {
    if (bytes === null) return { value: null };
    return converting(() => {
      const json = parse(bytes);
      return this.#hasEnvelope ? fromEnvelope(json) : { value: json };
    });
  }
}

function parse(bytes: Buffer): JsonValue {
  if (!isUtf8(bytes)) throw new ConversionError(NAME, 'The bytes are not UTF-8');
  let json: JsonValue;
  try {
    json = parseJson(bytes.toString('utf8'));
  } catch (error) {
    throw new ConversionError(NAME, `The bytes are not JSON: ${(error as Error).message}`, error);
  }
  // Each level takes two brackets.
  if (bytes.length > 2 * MAX_DEPTH && isDeeper(json, MAX_DEPTH)) throw tooDeep();
  return json;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if (levels === 0) return true;
  for (const item of Object.values(value)) if (isDeeper(item, levels - 1)) return true;
  return false;
}

function tooDeep(): ConversionError {
  const limit = String(MAX_DEPTH);
  return new ConversionError(NAME, `The JSON has lists or objects in more than ${limit} levels; at most ${limit} are allowed`);
}

function fromEnvelope(json: JsonValue): SchemaAndValue {
  const { schema, payload } = isJsonObject(json) && Object.keys(json).length === 2 ? json : {};
  if (schema === undefined || payload === undefined) {
    throw new ConversionError(
      NAME,
      'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. ' +
        'If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.',
    );
  }
  if (schema === null) return { value: payload };
  const read = readSchema(NAME, schema);
  return { value: readJson(NAME, payload, read), schema: read };
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
