import avsc from 'avsc';
import { type JsonValue, parseJson, type Schema } from '@sluice/sdk';
import type { FormatReader, FormatWriter, SchemaFormat } from '../registry/registry-converter.js';
import type { RegisteredSchema } from '../registry/schema-registry.js';
import { collectionOf } from './avro-collections.js';
import { AvroDecoder } from './avro-decoding.js';
import { AvroEncoder } from './avro-encoding.js';
import { requireSameMeaning } from './avro-logical.js';
import type { AvroSchema } from './avro-names.js';
import type { AvroSettings } from './avro-settings.js';

const LONG_BYTES = 8;

/** Keeps all digits of a long. */
const LONG = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(LONG_BYTES);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: (json: number | bigint) => BigInt(json),
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  compare: (one: bigint, other: bigint) => (one < other ? -1 : one > other ? 1 : 0),
});

/** Avro in binary form, with schemas as Confluent's AvroConverter makes them. */
export class AvroFormat implements SchemaFormat {
  readonly schemaType = 'AVRO';

  constructor(private readonly settings: AvroSettings) {}

  writerOf(schema: Schema): FormatWriter {
    const { schema: avro, encode } = new AvroEncoder(this.settings).encodingOf(schema);
    const text = JSON.stringify(avro, (_, part: unknown) => (typeof part === 'bigint' ? rawNumber(part) : part));
    const type = typeOf([text]);
    return {
      text,
      recordName: type.typeName === 'record' ? type.name : undefined,
      write: (value) => type.toBuffer(encode(value, 'value')),
      by: (latest, isStrict) => {
        const texts = textsOf(latest);
        const other = typeOf(texts);
        if (isStrict) requireReadable(other, type);
        requireSameMeaning(
          avro,
          texts.map((each) => JSON.parse(each) as AvroSchema),
        );
        return { write: (value) => checked(other, encode(value, 'value')) };
      },
    };
  }

  readerOf(registered: RegisteredSchema): FormatReader {
    const texts = textsOf(registered);
    const type = typeOf(texts);
    const decoder = new AvroDecoder(this.settings);
    const [own] = texts.map((text) => decoder.decodingOf(parseJson(text, exactNumber) as AvroSchema)).reverse();
    if (own === undefined) throw new TypeError('it is empty');
    const { schema, decode } = own;
    return { read: (payload) => ({ value: decode(type.fromBuffer(payload)), schema }) };
  }
}

function textsOf({ schema, references }: RegisteredSchema): readonly string[] {
  return [...references.map((each) => each.schema), schema];
}

/** Returns the type of the last text; those before it are what it refers to. */
function typeOf(texts: readonly string[]): avsc.Type {
  const options = {
    registry: {} as Record<string, avsc.Type>,
    wrapUnions: true as const,
    typeHook: (part: unknown, own: object) => longOf(part) ?? collectionOf(part, own),
  };
  let type: avsc.Type | undefined;
  for (const text of texts) {
    const json = parseJson(text, exactNumber);
    try {
      type = avsc.Type.forSchema(json as avsc.Schema, options);
    } catch (error) {
      throw new TypeError(`Avro refuses the schema: ${(error as Error).message}`, { cause: error });
    }
  }
  if (type === undefined) throw new TypeError('it is empty');
  return type;
}

/** Returns the type of a long, also of one with properties. */
function longOf(schema: unknown): avsc.Type | undefined {
  const { type } = (typeof schema === 'object' && schema !== null ? schema : { type: schema }) as { readonly type?: unknown };
  return type === 'long' ? LONG : undefined;
}

function requireReadable(reader: avsc.Type, writer: avsc.Type): void {
  try {
    reader.createResolver(writer);
  } catch (error) {
    const hint = 'latest.compatibility.strict=false writes what fits';
    throw new TypeError(`the latest schema cannot read the record's: ${(error as Error).message}; ${hint}`, { cause: error });
  }
}

/** The library's own errors hold values, which may be secret. */
function checked(type: avsc.Type, value: unknown): Buffer {
  const paths: string[] = [];
  const isValid = type.isValid(value, { errorHook: (path) => paths.push(path.join('.')) });
  if (!isValid) throw new TypeError(`The latest schema does not fit at ${paths.join(', ') || 'the value'}`);
  return type.toBuffer(value);
}

function exactNumber(digits: string): JsonValue {
  return /^-?\d+$/.test(digits) ? BigInt(digits) : Number(digits);
}

/** A default in the JSON of a schema keeps its digits. */
function rawNumber(value: bigint): unknown {
  const number = Number(value);
  if (BigInt(number) === value) return number;
  throw new TypeError(`The default ${value} has digits that JSON of a schema may lose; a default within 2^53 is needed`);
}
