import { type Schema, type SchemaField, SchemaType, isJsonObject, type JsonValue, plainJson } from '@sluice/sdk';
import { ConversionError } from './conversion-error.js';

type JsonObject = Readonly<Record<string, JsonValue>>;

/** Kafka Connect's names in JSON where they differ from the names of types. */
const jsonTypes: Readonly<Record<string, string>> = { float32: 'float', float64: 'double' };
const TYPES_BY_JSON: ReadonlyMap<string, SchemaType> = new Map(Object.values(SchemaType).map((type) => [jsonTypes[type] ?? type, type]));

const texts = new WeakMap<Schema, string>();
/** Defaults of schemas that were read: the schema of a record has no place for them, and their payload may leave values out. */
const defaults = new WeakMap<Schema, JsonValue>();

/** The schema in the JSON of Kafka Connect's JsonConverter. Schemas are shared by many records, so their texts are kept. */
export function schemaText(schema: Schema): string {
  let text = texts.get(schema);
  if (text === undefined) {
    text = plainJson(schemaJson(schema));
    texts.set(schema, text);
  }
  return text;
}

/** Throws a {@link ConversionError}. */
export function readSchema(converter: string, json: JsonValue): Schema {
  if (!isJsonObject(json) || typeof json['type'] !== 'string') {
    throw new ConversionError(converter, 'Schema must contain "type" field');
  }
  const type = TYPES_BY_JSON.get(json['type']);
  if (type === undefined) throw new ConversionError(converter, `Unknown schema type: ${json['type']}`);
  const { name, version, doc } = json;
  const schema: Schema = {
    type,
    ...(json['optional'] === true ? { optional: true } : undefined),
    ...(typeof name === 'string' ? { name } : undefined),
    ...(typeof version === 'number' ? { version } : undefined),
    ...(typeof doc === 'string' ? { doc } : undefined),
    ...parametersOf(converter, json['parameters']),
    ...partsOf(converter, type, json),
  };
  const fallback = json['default'];
  if (fallback !== undefined && fallback !== null) defaults.set(schema, fallback);
  return schema;
}

/** Returns what a payload without a value of this schema means, in JSON. */
export function defaultOf(schema: Schema): JsonValue | undefined {
  return defaults.get(schema);
}

function schemaJson(schema: Schema): Record<string, JsonValue> {
  const { type, keySchema, valueSchema, name, version, doc, parameters } = schema;
  const fallback = defaults.get(schema);
  return {
    type: jsonTypes[type] ?? type,
    ...(type === SchemaType.struct ? { fields: (schema.fields ?? []).map(fieldJson) } : undefined),
    ...(type === SchemaType.array && valueSchema !== undefined ? { items: schemaJson(valueSchema) } : undefined),
    ...(type === SchemaType.map && keySchema !== undefined ? { keys: schemaJson(keySchema) } : undefined),
    ...(type === SchemaType.map && valueSchema !== undefined ? { values: schemaJson(valueSchema) } : undefined),
    optional: schema.optional === true,
    ...(name === undefined ? undefined : { name }),
    ...(version === undefined ? undefined : { version }),
    ...(doc === undefined ? undefined : { doc }),
    ...(parameters === undefined ? undefined : { parameters }),
    ...(fallback === undefined ? undefined : { default: fallback }),
  };
}

function fieldJson({ name, schema }: SchemaField): Record<string, JsonValue> {
  return { ...schemaJson(schema), field: name };
}

function parametersOf(converter: string, json: JsonValue | undefined): Pick<Schema, 'parameters'> | undefined {
  if (json === undefined || json === null) return undefined;
  if (!isJsonObject(json) || !Object.values(json).every((value) => typeof value === 'string')) {
    throw new ConversionError(converter, 'Invalid schema parameters - must be an object of strings');
  }
  return { parameters: json as Record<string, string> };
}

function partsOf(converter: string, type: SchemaType, json: JsonObject): Partial<Schema> | undefined {
  const part = (name: string, what: string): Schema => {
    const value = json[name];
    if (!isJsonObject(value)) throw new ConversionError(converter, `${what} schema did not specify "${name}"`);
    return readSchema(converter, value);
  };
  if (type === SchemaType.array) return { valueSchema: part('items', 'Array') };
  if (type === SchemaType.map) return { keySchema: part('keys', 'Map'), valueSchema: part('values', 'Map') };
  if (type !== SchemaType.struct) return undefined;
  const fields = json['fields'];
  if (!Array.isArray(fields)) {
    throw new ConversionError(converter, 'Struct schema\'s "fields" argument is not an array.');
  }
  return { fields: (fields as readonly JsonValue[]).map((field) => readField(converter, field)) };
}

function readField(converter: string, json: JsonValue): SchemaField {
  const name = isJsonObject(json) ? json['field'] : undefined;
  if (typeof name !== 'string') {
    throw new ConversionError(converter, "Struct schema's field name not specified properly");
  }
  return { name, schema: readSchema(converter, json) };
}
