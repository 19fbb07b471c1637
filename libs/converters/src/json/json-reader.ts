import {
  type ConnectValue,
  Decimal,
  isJsonObject,
  isObjectMap,
  JsonNumber,
  type JsonValue,
  LogicalType,
  logicalTypeOf,
  scalarOf,
  scaleOf,
  type Schema,
  SchemaType,
} from '@sluice/sdk';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Reads payloads as their schemas say. Throws errors that name the place of the value. */
export class JsonReader {
  constructor(private readonly options: { readonly replacesNullWithDefault: boolean }) {}

  /** The schema must be valid. */
  read(json: JsonValue | undefined, schema: Schema, path: string): ConnectValue {
    if (json === null || json === undefined) return this.#absent(json, schema, path);
    switch (schema.type) {
      case SchemaType.int8:
      case SchemaType.int16:
      case SchemaType.int32:
      case SchemaType.int64:
        return scalarOf(schema, wholeNumber(json), path);
      case SchemaType.float32:
      case SchemaType.float64:
      case SchemaType.boolean:
      case SchemaType.string:
        return scalarOf(schema, json, path);
      case SchemaType.bytes:
        return this.#bytes(json, schema, path);
      case SchemaType.array:
        if (!isList(json) || schema.valueSchema === undefined) throw mismatch(path, schema);
        return this.#items(json, schema.valueSchema, path);
      case SchemaType.map:
        return this.#map(json, schema, path);
      case SchemaType.struct:
        if (!isJsonObject(json)) throw mismatch(path, schema);
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

  #absent(json: null | undefined, schema: Schema, path: string): ConnectValue {
    const fallback = json === undefined || this.options.replacesNullWithDefault ? schema.default : undefined;
    if (fallback !== undefined) return fallback;
    if (schema.optional === true) return null;
    throw new TypeError(`${path}: Invalid null value for required ${schema.type.toUpperCase()} field`);
  }

  #items(json: readonly JsonValue[], schema: Schema, path: string): readonly ConnectValue[] {
    return json.map((item, n) => this.read(item, schema, `${path}[${n}]`));
  }

  /** Takes a Decimal in both forms, whatever `decimal.format` says, as Kafka Connect does. */
  #bytes(json: JsonValue, schema: Schema, path: string): ConnectValue {
    const isDecimal = logicalTypeOf(schema.name) === LogicalType.decimal;
    if (typeof json === 'string' && json.length % 4 === 0 && BASE64.test(json)) {
      const bytes = Buffer.from(json, 'base64');
      return isDecimal ? scalarOf(schema, Decimal.fromBytes(bytes, scaleOf(schema) ?? 0), path) : bytes;
    }
    if (!isDecimal) throw new TypeError(`${path}: bytes must be given in base64`);
    if (typeof json !== 'number' && typeof json !== 'bigint' && !(json instanceof JsonNumber)) {
      throw new TypeError(`${path}: a Decimal must be a number, or given in base64`);
    }
    return scalarOf(schema, Decimal.parse(json.toString()), path);
  }

  #map(json: JsonValue, schema: Schema, path: string): ConnectValue {
    const { keySchema, valueSchema } = schema;
    if (keySchema === undefined || valueSchema === undefined) throw mismatch(path, schema);
    if (isObjectMap(schema)) {
      if (!isJsonObject(json)) throw mismatch(path, schema);
      return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, this.read(value, valueSchema, `${path}.${key}`)]));
    }
    if (!isList(json)) throw new TypeError(`${path}: a map whose keys are no text must be a list of pairs`);
    return new Map(
      json.map((pair, n) => {
        const [key, value] = isList(pair) && pair.length === 2 ? pair : [];
        const at = `${path}[${n}]`;
        if (key === undefined) throw new TypeError(`${at}: an entry of a map must be a pair`);
        return [this.read(key, keySchema, at), this.read(value, valueSchema, at)];
      }),
    );
  }
}

/** `1.0` and `1e3` are whole numbers too. The digits of a number beyond 2^53 are those of its text, which its double need not have. */
function wholeNumber(json: JsonValue): JsonValue {
  if (typeof json === 'number') return Number.isSafeInteger(json) ? json : beyondSafe(json);
  if (!(json instanceof JsonNumber)) return json;
  const value = Number(json);
  return Number.isSafeInteger(value) && isWhole(json.text) ? value : json;
}

/** Whether a number of a JSON text has no digits behind its point; its double may have lost them. */
function isWhole(text: string): boolean {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().replace('-', '').split('e');
  const [before = '', behind = ''] = mantissa.split('.');
  const digits = before + behind;
  const scale = behind.length - Number(exponent);
  if (scale <= 0) return true;
  return /^0*$/.test(scale >= digits.length ? digits : digits.slice(-scale));
}

function beyondSafe(json: number): JsonValue {
  const text = json.toString();
  return /^-?\d+$/.test(text) ? BigInt(text) : json;
}

function mismatch(path: string, schema: Schema): TypeError {
  return new TypeError(`${path}: the value does not fit the schema type ${schema.type}`);
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
