import {
  arrayItems,
  type ConnectValue,
  dateToNumber,
  Decimal,
  isObjectMap,
  LogicalType,
  logicalTypeOf,
  mapOf,
  objectMapOf,
  plainJson,
  type ScalarValue,
  scalarOf,
  type Schema,
  SchemaType,
  structOf,
} from '@sluice/sdk';
import { ConversionError } from '../conversion-error.js';

type DecimalFormat = 'BASE64' | 'NUMERIC';

/** The setting of each converter that writes decimals in JSON. */
export const DECIMAL_FORMAT_FIELD = {
  type: 'string',
  importance: 'low',
  default: 'BASE64',
  oneOf: ['BASE64', 'base64', 'NUMERIC', 'numeric'],
  doc: 'How decimals are written: `BASE64`, the bytes of the unscaled value, or `NUMERIC`, the digits. Both are read.',
} as const;

/** Returns what a value of that setting means. */
export function decimalFormatOf(value: string): DecimalFormat {
  return value.toUpperCase() === 'NUMERIC' ? 'NUMERIC' : 'BASE64';
}

/** How {@link JsonWriter} writes, in the words of the settings of Kafka Connect's JsonConverter. */
export interface JsonWriterOptions {
  readonly decimalFormat: DecimalFormat;
  readonly replacesNullWithDefault: boolean;
}

/** Writes values as their schemas say, in the form that Kafka Connect's JsonConverter writes. Throws errors that name the place of the value. */
export class JsonWriter {
  constructor(private readonly options: JsonWriterOptions) {}

  /** The schema must be valid. */
  write(value: ConnectValue | undefined, schema: Schema, path: string): string {
    if (value === null || value === undefined) return this.#absent(value, schema, path);
    if (schema.type === SchemaType.struct) return this.#struct(value, schema, path);
    if (schema.type === SchemaType.array) return this.#array(value, schema, path);
    if (schema.type !== SchemaType.map) return this.#scalar(scalarOf(schema, value, path), schema, path);
    return isObjectMap(schema) ? this.#objectMap(value, schema, path) : this.#map(value, schema, path);
  }

  #absent(value: null | undefined, schema: Schema, path: string): string {
    const fallback = value === undefined || this.options.replacesNullWithDefault ? schema.default : undefined;
    if (fallback !== undefined) return this.write(fallback, schema, path);
    if (schema.optional === true) return 'null';
    const ending = schema.default === undefined ? ' and has no default value' : '';
    throw new TypeError(`${path}: null value for field that is required${ending}`);
  }

  #scalar(value: ScalarValue, schema: Schema, path: string): string {
    if (value instanceof Date) return String(dateToNumber(value, logicalTypeOf(schema.name) ?? LogicalType.timestamp, path));
    if (value instanceof Decimal && this.options.decimalFormat === 'BASE64') return plainJson(value.toBytes());
    return plainJson(value, { path });
  }

  #array(value: ConnectValue, schema: Schema, path: string): string {
    const items = partOf(schema.valueSchema);
    const parts = arrayItems(value, path).map((item, n) => this.write(item, items, `${path}[${n}]`));
    return `[${parts.join(',')}]`;
  }

  #objectMap(value: ConnectValue, schema: Schema, path: string): string {
    const values = partOf(schema.valueSchema);
    const parts: string[] = [];
    for (const [name, item] of Object.entries(objectMapOf(value, path))) {
      if (item !== undefined) parts.push(`${JSON.stringify(name)}:${this.write(item, values, `${path}.${name}`)}`);
    }
    return `{${parts.join(',')}}`;
  }

  /** Kafka Connect writes maps whose keys are no text as a list of pairs. */
  #map(value: ConnectValue, schema: Schema, path: string): string {
    const [keys, values] = [partOf(schema.keySchema), partOf(schema.valueSchema)];
    const pairs: string[] = [];
    for (const [key, item] of mapOf(schema, value, path)) {
      const at = `${path}[${pairs.length}]`;
      pairs.push(`[${this.write(key, keys, at)},${this.write(item, values, at)}]`);
    }
    return `[${pairs.join(',')}]`;
  }

  #struct(value: ConnectValue, schema: Schema, path: string): string {
    const struct = structOf(schema, value, path);
    const parts = (schema.fields ?? []).map(({ name, schema: fieldSchema }) => {
      const item = Object.hasOwn(struct, name) ? struct[name] : undefined;
      return `${JSON.stringify(name)}:${this.write(item, fieldSchema, `${path}.${name}`)}`;
    });
    return `{${parts.join(',')}}`;
  }
}

/** Writes a value without a schema as JSON, see {@link plainJson}. Throws a {@link ConversionError}. */
export function writePlainJson(converter: string, value: ConnectValue): string {
  try {
    return plainJson(value);
  } catch (error) {
    throw new ConversionError(converter, (error as Error).message, error);
  }
}

/** A valid schema has the parts that its type needs. */
function partOf(schema: Schema | undefined): Schema {
  if (schema === undefined) throw new TypeError('The schema was not checked');
  return schema;
}
