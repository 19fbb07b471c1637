import { isUtf8 } from 'node:buffer';
import { type ConnectValue, JsonNumber, plainJson, type Schema, SchemaType } from '@sluice/sdk';
import { ConversionError } from './conversion-error.js';
import { integerText, type IntegerType, isInteger, isIntegerType } from './json-integer.js';
import { dateToNumber, LogicalType } from './logical-type.js';

type ConnectObject = Readonly<Record<string, ConnectValue | undefined>>;

/** Writes a value without a schema as JSON: bytes in base64, dates in milliseconds since the epoch. */
export function writePlainJson(converter: string, value: ConnectValue): string {
  return new JsonWriter(converter).plain(value, 'payload');
}

/** Writes a value as its schema says, in the form that Kafka Connect's JsonConverter writes. */
export function writeJson(converter: string, value: ConnectValue, schema: Schema): string {
  return new JsonWriter(converter).typed(value, schema, 'payload');
}

class JsonWriter {
  constructor(private readonly converter: string) {}

  plain(value: ConnectValue | undefined, path: string): string {
    try {
      return plainJson(value, { path });
    } catch (error) {
      throw new ConversionError(this.converter, (error as Error).message, error);
    }
  }

  typed(value: ConnectValue | undefined, schema: Schema, path: string): string {
    if (value === null || value === undefined) {
      if (schema.optional === true) return 'null';
      throw this.#refusal(path, 'null value for field that is required and has no default value');
    }
    switch (schema.type) {
      case SchemaType.int8:
      case SchemaType.int16:
      case SchemaType.int32:
      case SchemaType.int64:
        return this.#integer(value, schema.type, schema.name, path);
      case SchemaType.float32:
      case SchemaType.float64:
        if (typeof value === 'bigint' || typeof value === 'number' || value instanceof JsonNumber) {
          return this.plain(value, path);
        }
        throw this.#mismatch(path, value, schema);
      case SchemaType.boolean:
        if (typeof value === 'boolean') return String(value);
        throw this.#mismatch(path, value, schema);
      case SchemaType.string:
        if (typeof value === 'string') return JSON.stringify(value);
        if (value instanceof Uint8Array && isUtf8(value)) return JSON.stringify(asBuffer(value).toString('utf8'));
        throw this.#mismatch(path, value, schema);
      case SchemaType.bytes:
        if (value instanceof Uint8Array) return base64(value);
        if (schema.name === LogicalType.decimal) {
          throw this.#refusal(path, 'a Decimal must be given as the big-endian bytes of its unscaled value');
        }
        throw this.#mismatch(path, value, schema);
      case SchemaType.array: {
        const items = schema.valueSchema;
        if (!isArray(value)) throw this.#mismatch(path, value, schema);
        if (items === undefined) return this.plain(value, path);
        return `[${value.map((item, n) => this.typed(item, items, `${path}[${n}]`)).join(',')}]`;
      }
      case SchemaType.map:
        return this.#map(this.#asObject(value, path), schema, path);
      case SchemaType.struct:
        return this.#struct(this.#asObject(value, path), schema, path);
      default:
        return schema.type satisfies never;
    }
  }

  #integer(value: ConnectValue, type: IntegerType, logicalName: string | undefined, path: string): string {
    const number = value instanceof Date ? this.#dateNumber(value, logicalName, path) : value;
    if (isInteger(number, type)) return integerText(number);
    const given = typeof number === 'number' || typeof number === 'bigint' ? String(number) : kindOf(number);
    throw this.#refusal(path, `${given} is no whole number that fits ${type}`);
  }

  #dateNumber(date: Date, logicalName: string | undefined, path: string): number {
    if (logicalName === undefined) throw this.#refusal(path, 'a date needs a schema of a logical type such as Timestamp');
    return dateToNumber(this.converter, date, logicalName, path);
  }

  /** Kafka Connect writes maps whose keys are no text as a list of pairs. */
  #map(map: ConnectObject, { keySchema, valueSchema }: Schema, path: string): string {
    const item = (value: ConnectValue | undefined, at: string): string =>
      valueSchema === undefined ? this.plain(value, at) : this.typed(value, valueSchema, at);
    if (keySchema === undefined || keySchema.type === SchemaType.string) return this.#object(map, path, item);
    const pairs = Object.entries(map).map(([key, value]) => `[${this.#mapKey(key, keySchema, path)},${item(value, `${path}.${key}`)}]`);
    return `[${pairs.join(',')}]`;
  }

  #mapKey(key: string, schema: Schema, path: string): string {
    if (isIntegerType(schema.type) && /^-?\d+$/.test(key)) return this.typed(BigInt(key), schema, path);
    if (schema.type === SchemaType.boolean && (key === 'true' || key === 'false')) return key;
    throw this.#refusal(path, `the key ${JSON.stringify(key)} cannot be written as ${schema.type}`);
  }

  #struct(struct: ConnectObject, schema: Schema, path: string): string {
    const fields = schema.fields ?? [];
    const known = new Set<string>();
    const parts = fields.map(({ name, schema: fieldSchema }) => {
      known.add(name);
      const value = Object.hasOwn(struct, name) ? struct[name] : undefined;
      return `${JSON.stringify(name)}:${this.typed(value, fieldSchema, `${path}.${name}`)}`;
    });
    for (const name of Object.keys(struct)) {
      if (!known.has(name)) throw this.#refusal(`${path}.${name}`, 'the schema of the struct has no such field');
    }
    return `{${parts.join(',')}}`;
  }

  #object(object: ConnectObject, path: string, write: (value: ConnectValue | undefined, path: string) => string): string {
    const parts: string[] = [];
    for (const [name, value] of Object.entries(object)) {
      if (value !== undefined) parts.push(`${JSON.stringify(name)}:${write(value, `${path}.${name}`)}`);
    }
    return `{${parts.join(',')}}`;
  }

  #asObject(value: ConnectValue, path: string): ConnectObject {
    const isObject =
      typeof value === 'object' &&
      value !== null &&
      !isArray(value) &&
      !(
        value instanceof Date ||
        value instanceof Uint8Array ||
        value instanceof JsonNumber ||
        value instanceof Map ||
        value instanceof Set
      );
    if (isObject) return value;
    throw this.#refusal(path, `${kindOf(value)} is no object with fields`);
  }

  #mismatch(path: string, value: ConnectValue, schema: Schema): ConversionError {
    return this.#refusal(path, `${kindOf(value)} does not fit the schema type ${schema.type}`);
  }

  #refusal(path: string, reason: string): ConversionError {
    return new ConversionError(this.converter, `${path}: ${reason}`);
  }
}

function isArray(value: ConnectValue): value is readonly ConnectValue[] {
  return Array.isArray(value);
}

function kindOf(value: ConnectValue): string {
  if (typeof value !== 'object') return `a ${typeof value}`;
  return value === null ? 'null' : `a value of class ${value.constructor.name}`;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function base64(bytes: Uint8Array): string {
  return `"${asBuffer(bytes).toString('base64')}"`;
}
