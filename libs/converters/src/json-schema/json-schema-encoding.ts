import {
  type ConnectValue,
  LogicalType,
  logicalTypeOf,
  mapOf,
  objectMapOf,
  parseJson,
  type Schema,
  SchemaType,
  structOf,
} from '@sluice/sdk';
import { JsonWriter } from '../json/json-writer.js';
import {
  CONNECT_INDEX,
  CONNECT_PARAMETERS,
  CONNECT_TYPE,
  CONNECT_VERSION,
  ENUM_PARAMETER,
  type JsonSchemaObject,
  type JsonSchemaSettings,
  ONE_OF_NAME,
} from './json-schema-names.js';

/** Writes maps whose keys are no texts as a list of objects, and of a union the branch that is set. */
export class JsonSchemaWriter extends JsonWriter {
  override write(value: ConnectValue | undefined, schema: Schema, path: string): string {
    if (value === null || value === undefined) return super.write(value, schema, path);
    if (schema.name === ONE_OF_NAME && schema.type === SchemaType.struct) return this.#branch(value, schema, path);
    return schema.type === SchemaType.map && !hasTextKeys(schema) ? this.#pairs(value, schema, path) : super.write(value, schema, path);
  }

  #branch(value: ConnectValue, schema: Schema, path: string): string {
    const struct = structOf(schema, value, path);
    const set = (schema.fields ?? []).filter(
      ({ name }) => Object.hasOwn(struct, name) && struct[name] !== null && struct[name] !== undefined,
    );
    const [only] = set;
    if (only === undefined || set.length > 1) throw new TypeError(`${path}: ${set.length} branches of the union are set; one is needed`);
    return this.write(struct[only.name], only.schema, `${path}.${only.name}`);
  }

  #pairs(value: ConnectValue, schema: Schema, path: string): string {
    const { keySchema, valueSchema } = schema;
    if (keySchema === undefined || valueSchema === undefined) throw new TypeError('The schema was not checked');
    const entries = keySchema.type === SchemaType.string ? Object.entries(objectMapOf(value, path)) : mapOf(schema, value, path);
    const parts = Array.from(entries as Iterable<readonly [ConnectValue, ConnectValue | undefined]>, ([key, item], n) => {
      const at = `${path}[${n}]`;
      return `{"key":${this.write(key, keySchema, at)},"value":${this.write(item, valueSchema, at)}}`;
    });
    return `[${parts.join(',')}]`;
  }
}

/** Makes JSON Schemas of schemas in the form of Confluent's JsonSchemaConverter. */
export class JsonSchemaEncoder {
  constructor(
    private readonly settings: JsonSchemaSettings,
    private readonly writer: JsonSchemaWriter,
  ) {}

  /**
   * The schema must be valid.
   *
   * @param index the place of the field that has it
   */
  encode(schema: Schema, index?: number): JsonSchemaObject {
    const place = index === undefined ? undefined : { [CONNECT_INDEX]: index };
    if (schema.name === ONE_OF_NAME && schema.type === SchemaType.struct) {
      const branches = (schema.fields ?? []).map(({ schema: branch }, n) => ({ ...this.#base(branch), [CONNECT_INDEX]: n }));
      return { oneOf: schema.optional === true ? [{ type: 'null' }, ...branches] : branches, ...place };
    }
    const base = this.#base(schema);
    return schema.optional === true ? { oneOf: [{ type: 'null' }, base], ...place } : { ...base, ...place };
  }

  #base(schema: Schema): JsonSchemaObject {
    const { name, version, doc, default: fallback } = schema;
    const parameters = Object.entries(schema.parameters ?? {}).filter(([key]) => !key.startsWith(ENUM_PARAMETER));
    return {
      ...this.#type(schema),
      ...(name === undefined ? undefined : { title: logicalTypeOf(name) ?? name }),
      ...(version === undefined ? undefined : { [CONNECT_VERSION]: version }),
      ...(doc === undefined ? undefined : { description: doc }),
      ...(parameters.length === 0 ? undefined : { [CONNECT_PARAMETERS]: Object.fromEntries(parameters) }),
      ...(fallback === undefined ? undefined : { default: parseJson(this.writer.write(fallback, schema, 'schema.default')) }),
    };
  }

  #type(schema: Schema): JsonSchemaObject {
    const { type } = schema;
    if (type === SchemaType.boolean) return { type: 'boolean' };
    if (type === SchemaType.string) {
      const symbols = Object.entries(schema.parameters ?? {}).flatMap(([key, value]) =>
        key.startsWith(`${ENUM_PARAMETER}.`) ? [value] : [],
      );
      return symbols.length === 0 ? { type: 'string' } : { type: 'string', enum: symbols };
    }
    if (type === SchemaType.bytes) {
      const isDecimal = logicalTypeOf(schema.name) === LogicalType.decimal;
      // In either format, as Confluent's converter has it.
      return { type: isDecimal ? 'number' : 'string', [CONNECT_TYPE]: 'bytes' };
    }
    if (type === SchemaType.float32 || type === SchemaType.float64) return { type: 'number', [CONNECT_TYPE]: type };
    if (type === SchemaType.array) return { type: 'array', items: this.encode(partOf(schema.valueSchema)) };
    if (type === SchemaType.map) return this.#map(schema);
    return type === SchemaType.struct ? this.#struct(schema) : { type: 'integer', [CONNECT_TYPE]: type };
  }

  #map(schema: Schema): JsonSchemaObject {
    const values = partOf(schema.valueSchema);
    if (hasTextKeys(schema)) return { type: 'object', additionalProperties: this.encode(values), [CONNECT_TYPE]: 'map' };
    const properties = { key: this.encode(partOf(schema.keySchema), 0), value: this.encode(values, 1) };
    return { type: 'array', items: { type: 'object', properties }, [CONNECT_TYPE]: 'map' };
  }

  #struct(schema: Schema): JsonSchemaObject {
    const fields = schema.fields ?? [];
    const required = fields.filter((field) => field.schema.optional !== true).map(({ name }) => name);
    return {
      type: 'object',
      properties: Object.fromEntries(fields.map(({ name, schema: fieldSchema }, n) => [name, this.encode(fieldSchema, n)])),
      ...(this.settings['use.optional.for.nonrequired'] && required.length > 0 ? { required } : undefined),
      ...(this.settings['object.additional.properties'] ? undefined : { additionalProperties: false }),
    };
  }
}

function hasTextKeys({ keySchema }: Schema): boolean {
  return keySchema?.type === SchemaType.string && keySchema.optional !== true;
}

/** A valid schema has the parts that its type needs. */
function partOf(schema: Schema | undefined): Schema {
  if (schema === undefined) throw new TypeError('The schema was not checked');
  return schema;
}
