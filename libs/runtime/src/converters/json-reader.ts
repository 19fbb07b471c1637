import { type ConnectValue, type Schema, SchemaType, isJsonObject, JsonNumber, type JsonValue } from '@sluice/sdk';
import { ConversionError } from './conversion-error.js';
import { isInteger, type IntegerType } from './json-integer.js';
import { defaultOf } from './json-schema-codec.js';
import { LogicalType, numberToDate } from './logical-type.js';

/** Reads a payload as its schema says. Throws a {@link ConversionError} where it does not fit. */
export function readJson(converter: string, json: JsonValue, schema: Schema): ConnectValue {
  return new JsonReader(converter).read(json, schema, 'payload');
}

class JsonReader {
  constructor(private readonly converter: string) {}

  read(given: JsonValue | undefined, schema: Schema, path: string): ConnectValue {
    const json = given ?? defaultOf(schema) ?? null;
    if (json === null) {
      if (schema.optional === true) return null;
      throw this.#refusal(path, `Invalid null value for required ${schema.type.toUpperCase()} field`);
    }
    switch (schema.type) {
      case SchemaType.int8:
      case SchemaType.int16:
      case SchemaType.int32:
      case SchemaType.int64:
        return this.#integer(json, schema.type, schema, path);
      case SchemaType.float32:
      case SchemaType.float64:
        if (typeof json === 'number' || typeof json === 'bigint') return Number(json);
        if (json instanceof JsonNumber) return this.#float(json, path);
        throw this.#mismatch(path, schema);
      case SchemaType.boolean:
        if (typeof json === 'boolean') return json;
        throw this.#mismatch(path, schema);
      case SchemaType.string:
        if (typeof json === 'string') return json;
        throw this.#mismatch(path, schema);
      case SchemaType.bytes:
        return this.#bytes(json, schema, path);
      case SchemaType.array: {
        const { valueSchema } = schema;
        if (!isList(json) || valueSchema === undefined) throw this.#mismatch(path, schema);
        return json.map((item, n) => this.read(item, valueSchema, `${path}[${n}]`));
      }
      case SchemaType.map:
        return this.#map(json, schema, path);
      case SchemaType.struct:
        if (!isJsonObject(json)) throw this.#mismatch(path, schema);
        return Object.fromEntries(
          (schema.fields ?? []).map((field) => {
            const value = Object.hasOwn(json, field.name) ? json[field.name] : undefined;
            return [field.name, this.read(value, field.schema, `${path}.${field.name}`)];
          }),
        );
      default:
        return schema.type satisfies never;
    }
  }

  /** `1.0` and `1e3` are whole numbers too. */
  #integer(json: JsonValue, type: IntegerType, schema: Schema, path: string): ConnectValue {
    const value = json instanceof JsonNumber ? Number(json) + 0 : json;
    if (!isInteger(value, type) || (json instanceof JsonNumber && !Number.isSafeInteger(value))) {
      throw this.#mismatch(path, schema);
    }
    return numberToDate(this.converter, value, schema.name, path) ?? value;
  }

  /** The schema says that the number is a double: its nearest one is what was meant, unless there is none. */
  #float(json: JsonNumber, path: string): number {
    const value = Number(json);
    if (Number.isFinite(value)) return value;
    throw this.#refusal(path, `${json.text} is beyond what a double can hold`);
  }

  #bytes(json: JsonValue, schema: Schema, path: string): Buffer {
    if (schema.name === LogicalType.decimal && typeof json !== 'string') {
      throw this.#refusal(path, 'a Decimal can only be read in base64, which is what decimal.format=BASE64 writes');
    }
    if (typeof json === 'string' && json.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(json)) {
      return Buffer.from(json, 'base64');
    }
    throw this.#refusal(path, 'bytes must be given in base64');
  }

  #map(json: JsonValue, { type, keySchema, valueSchema }: Schema, path: string): ConnectValue {
    if (keySchema === undefined || valueSchema === undefined) throw this.#mismatch(path, { type });
    if (keySchema.type === SchemaType.string) {
      if (!isJsonObject(json)) throw this.#mismatch(path, { type });
      return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, this.read(value, valueSchema, `${path}.${key}`)]));
    }
    if (!isList(json)) throw this.#refusal(path, 'a map whose keys are no text must be a list of pairs');
    return Object.fromEntries(
      json.map((pair, n) => {
        const [key, value] = isList(pair) && pair.length === 2 ? pair : [];
        const keyPath = `${path}[${n}]`;
        if (key === undefined) throw this.#refusal(keyPath, 'an entry of a map must be a pair');
        return [this.#mapKey(key, keySchema, keyPath), this.read(value, valueSchema, keyPath)];
      }),
    );
  }

  #mapKey(json: JsonValue, schema: Schema, path: string): string {
    const key = this.read(json, schema, path);
    if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') {
      return String(key);
    }
    throw this.#refusal(path, `a key of type ${schema.name ?? schema.type} cannot be the name of a field`);
  }

  #mismatch(path: string, schema: Schema): ConversionError {
    return this.#refusal(path, `the value does not fit the schema type ${schema.type}`);
  }

  #refusal(path: string, reason: string): ConversionError {
    return new ConversionError(this.converter, `${path}: ${reason}`);
  }
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
