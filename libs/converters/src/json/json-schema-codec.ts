import {
  isJsonObject,
  type JsonValue,
  logicalTypeOf,
  parseJson,
  plainJson,
  requireSchema,
  type Schema,
  type SchemaField,
  SchemaType,
} from '@sluice/sdk';
import type { JsonReader } from './json-reader.js';
import type { JsonWriter } from './json-writer.js';

type JsonObject = Readonly<Record<string, JsonValue>>;

/** Kafka Connect's names in JSON where they differ from the names of types. */
const jsonTypes: Readonly<Record<string, string>> = { float32: 'float', float64: 'double' };
const TYPES_BY_JSON: ReadonlyMap<string, SchemaType> = new Map(Object.values(SchemaType).map((type) => [jsonTypes[type] ?? type, type]));

/** Writes and reads schemas in the JSON of Kafka Connect's JsonConverter. Throws errors that name the part of the schema. */
export class JsonSchemaCodec {
  /** Schemas are shared by many records, so their texts are kept. */
  readonly #texts = new WeakMap<Schema, string>();

  /**
   * @param reader reads defaults
   * @param writer writes defaults
   */
  constructor(
    private readonly reader: JsonReader,
    private readonly writer: JsonWriter,
  ) {}

  textOf(schema: Schema): string {
    let text = this.#texts.get(schema);
    if (text === undefined) {
      text = plainJson(this.#toJson(schema));
      this.#texts.set(schema, text);
    }
    return text;
  }

  read(json: JsonValue): Schema {
    const schema = this.#fromJson(json);
    requireSchema(schema);
    return schema;
  }

  #toJson(schema: Schema): Record<string, JsonValue> {
    const { type, keySchema, valueSchema, name, version, doc, parameters, default: fallback } = schema;
    return {
      type: jsonTypes[type] ?? type,
      ...(type === SchemaType.struct ? { fields: (schema.fields ?? []).map((field) => this.#fieldToJson(field)) } : undefined),
      ...(type === SchemaType.array && valueSchema !== undefined ? { items: this.#toJson(valueSchema) } : undefined),
      ...(type === SchemaType.map && keySchema !== undefined ? { keys: this.#toJson(keySchema) } : undefined),
      ...(type === SchemaType.map && valueSchema !== undefined ? { values: this.#toJson(valueSchema) } : undefined),
      optional: schema.optional === true,
      ...(name === undefined ? undefined : { name: logicalTypeOf(name) ?? name }),
      ...(version === undefined ? undefined : { version }),
      ...(doc === undefined ? undefined : { doc }),
      ...(parameters === undefined ? undefined : { parameters }),
      ...(fallback === undefined ? undefined : { default: parseJson(this.writer.write(fallback, schema, 'schema.default')) }),
    };
  }

  #fieldToJson({ name, schema }: SchemaField): Record<string, JsonValue> {
    return { ...this.#toJson(schema), field: name };
  }

  #fromJson(json: JsonValue): Schema {
    if (!isJsonObject(json) || typeof json['type'] !== 'string') throw new TypeError('Schema must contain "type" field');
    const type = TYPES_BY_JSON.get(json['type']);
    if (type === undefined) throw new TypeError(`Unknown schema type: ${json['type']}`);
    const { name, version, doc } = json;
    const schema: Schema = {
      type,
      ...(json['optional'] === true ? { optional: true } : undefined),
      // OpenMessaging Connect has other names for the same logical types.
      ...(typeof name === 'string' && name !== '' ? { name: logicalTypeOf(name) ?? name } : undefined),
      ...(typeof version === 'number' ? { version } : undefined),
      ...(typeof doc === 'string' ? { doc } : undefined),
      ...parametersOf(json['parameters']),
      ...this.#partsOf(type, json),
    };
    const fallback = json['default'];
    if (fallback === undefined || fallback === null) return schema;
    requireSchema(schema);
    return { ...schema, default: this.reader.read(fallback, schema, 'schema.default') };
  }

  #partsOf(type: SchemaType, json: JsonObject): Partial<Schema> | undefined {
    const part = (name: string, what: string): Schema => {
      const value = json[name];
      if (!isJsonObject(value)) throw new TypeError(`${what} schema did not specify "${name}"`);
      return this.#fromJson(value);
    };
    if (type === SchemaType.array) return { valueSchema: part('items', 'Array') };
    if (type === SchemaType.map) return { keySchema: part('keys', 'Map'), valueSchema: part('values', 'Map') };
    if (type !== SchemaType.struct) return undefined;
    const fields = json['fields'];
    if (!Array.isArray(fields)) throw new TypeError('Struct schema\'s "fields" argument is not an array.');
    return { fields: (fields as readonly JsonValue[]).map((field) => this.#fieldFromJson(field)) };
  }

  #fieldFromJson(json: JsonValue): SchemaField {
    const name = isJsonObject(json) ? json['field'] : undefined;
    if (typeof name !== 'string') throw new TypeError("Struct schema's field name not specified properly");
    return { name, schema: this.#fromJson(json) };
  }
}

function parametersOf(json: JsonValue | undefined): Pick<Schema, 'parameters'> | undefined {
  if (json === undefined || json === null) return undefined;
  if (!isJsonObject(json) || !Object.values(json).every((value) => typeof value === 'string')) {
    throw new TypeError('Invalid schema parameters - must be an object of strings');
  }
  return { parameters: json as Record<string, string> };
}
