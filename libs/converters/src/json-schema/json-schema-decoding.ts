import {
  type ConnectValue,
  isConnectArray,
  isJsonObject,
  type JsonValue,
  requireSchema,
  type Schema,
  type SchemaField,
  SchemaType,
} from '@sluice/sdk';
import { JsonReader } from '../json/json-reader.js';
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

/** Says whether a value fits a part of the schema. */
export type Fits = (json: JsonValue) => boolean;

interface Branch {
  readonly name: string;
  readonly schema: Schema;
  readonly fits: Fits;
}

const CONNECT_TYPES: ReadonlySet<string> = new Set(Object.values(SchemaType));
const MAX_LEVELS = 200;
/** A part that two others refer to is two parts: such definitions double with each level. */
const MAX_PARTS = 10_000;
/** Keywords that say what values have, and not only which are allowed. */
const SHAPES: ReadonlySet<string> = new Set([
  '$ref',
  'additionalProperties',
  'allOf',
  'anyOf',
  'else',
  'enum',
  'items',
  'oneOf',
  'patternProperties',
  'properties',
  'then',
]);

/** A part of a schema, and the document that its references within one point into. */
interface Place {
  readonly part: JsonSchemaObject;
  readonly document: JsonSchemaObject;
}

/** Reads values of schemas that {@link JsonSchemaDecoder} made. */
class JsonSchemaReader extends JsonReader {
  /** By the fields of the struct that stands for the union: schemas are copied where one becomes optional, the fields are not. */
  readonly branches = new WeakMap<readonly SchemaField[], readonly Branch[]>();

  override read(json: JsonValue | undefined, schema: Schema, path: string): ConnectValue {
    if (json === null || json === undefined) return super.read(json, schema, path);
    const branches = schema.fields === undefined ? undefined : this.branches.get(schema.fields);
    if (branches !== undefined) {
      const found = branches.find(({ fits }) => fits(json));
      if (found === undefined) throw new TypeError(`${path}: the value fits no branch of the union`);
      const others = Object.fromEntries(branches.map(({ name }) => [name, null]));
      return { ...others, [found.name]: this.read(json, found.schema, path) };
    }
    const { keySchema, valueSchema } = schema;
    if (keySchema === undefined || valueSchema === undefined || !isConnectArray(json)) return super.read(json, schema, path);
    const pairs = json.map((each, n) => {
      const at = `${path}[${n}]`;
      if (!isJsonObject(each)) throw new TypeError(`${at}: an entry of a map must be an object of key and value`);
      return [this.read(each['key'], keySchema, at), this.read(each['value'], valueSchema, at)] as const;
    });
    return keySchema.type === SchemaType.string
      ? Object.fromEntries(pairs as readonly (readonly [string, ConnectValue])[])
      : new Map(pairs);
  }
}

/** Makes schemas of JSON Schemas as Confluent's JsonSchemaConverter does, and reads their values. Throws errors that name the part. */
export class JsonSchemaDecoder {
  readonly #reader = new JsonSchemaReader({ replacesNullWithDefault: true });
  readonly #fitsByPart = new Map<JsonSchemaObject, Fits>();
  #parts = 0;

  /**
   * @param root the whole schema
   * @param references other schemas, by the names that `$ref` has for them
   * @param fitsOf makes the check of a part of the document that `$ref` in it points into
   */
  constructor(
    private readonly settings: JsonSchemaSettings,
    private readonly root: JsonSchemaObject,
    private readonly references: ReadonlyMap<string, JsonSchemaObject>,
    private readonly fitsOf: (part: JsonSchemaObject, document: JsonSchemaObject) => Fits,
  ) {}

  schema(): Schema {
    const schema = this.#schema({ part: this.root, document: this.root }, 0);
    requireSchema(schema);
    return schema;
  }

  read(json: JsonValue, schema: Schema): ConnectValue {
    return this.#reader.read(json, schema, 'value');
  }

  #schema({ part, document }: Place, level: number): Schema {
    if (level > MAX_LEVELS) throw new TypeError('The schema holds itself, or has too many levels; such a schema is not supported');
    this.#parts += 1;
    if (this.#parts > MAX_PARTS) throw new TypeError(`The schema has more than ${MAX_PARTS} parts, each as often as others refer to it`);
    requireNoMerge(part);
    const reference = part['$ref'];
    if (typeof reference === 'string') return this.#schema(this.#referred(reference, document), level + 1);
    const types = part['type'];
    const branches = part['oneOf'] ?? part['anyOf'];
    if (Array.isArray(branches)) return this.#described(part, this.#union(branches as readonly JsonSchemaObject[], document, level));
    if (Array.isArray(types)) {
      return this.#union(
        (types as readonly string[]).map((type) => ({ ...part, type })),
        document,
        level,
      );
    }
    return this.#described(part, this.#plain({ part, document }, level));
  }

  #plain({ part, document }: Place, level: number): Schema {
    const connectType = part[CONNECT_TYPE];
    if (connectType === 'map') return this.#map({ part, document }, level);
    if (typeof connectType === 'string' && CONNECT_TYPES.has(connectType)) return { type: connectType as SchemaType };
    if (Array.isArray(part['enum'])) return enumOf(part['enum']);
    const type = part['type'] ?? (part['properties'] === undefined ? undefined : 'object');
    if (type === 'string') return { type: SchemaType.string };
    if (type === 'integer') return { type: SchemaType.int64 };
    if (type === 'number') return { type: SchemaType.float64 };
    if (type === 'boolean') return { type: SchemaType.boolean };
    if (type === 'object') return this.#struct({ part, document }, level);
    if (type === 'array') {
      const items = part['items'];
      if (!isPart(items)) throw new TypeError('Array schema did not specify the items type');
      return { type: SchemaType.array, valueSchema: this.#schema({ part: items, document }, level + 1) };
    }
    throw new TypeError(`Unsupported schema: ${type === undefined ? 'it has no type' : `the type ${JSON.stringify(type)}`}`);
  }

  #map({ part, document }: Place, level: number): Schema {
    const values = part['additionalProperties'];
    if (isPart(values))
      return {
        type: SchemaType.map,
        keySchema: { type: SchemaType.string },
        valueSchema: this.#schema({ part: values, document }, level + 1),
      };
    const { key, value } = ((part['items'] as JsonSchemaObject | undefined)?.['properties'] ?? {}) as Record<string, unknown>;
    if (!isPart(key) || !isPart(value)) throw new TypeError('Map schema did not specify key and value');
    return {
      type: SchemaType.map,
      keySchema: this.#schema({ part: key, document }, level + 1),
      valueSchema: this.#schema({ part: value, document }, level + 1),
    };
  }

  #struct({ part, document }: Place, level: number): Schema {
    const properties = Object.entries((part['properties'] ?? {}) as Record<string, JsonSchemaObject>);
    const places = properties.map(([name, property], n) => ({ name, property, place: Number(property[CONNECT_INDEX] ?? n) }));
    const required = new Set((part['required'] ?? []) as readonly string[]);
    const fields = places
      .toSorted((one, other) => one.place - other.place)
      .map(({ name, property }) => {
        const schema = this.#schema({ part: property, document }, level + 1);
        const isOptional = this.settings['use.optional.for.nonrequired'] && !required.has(name);
        return { name, schema: isOptional ? { ...schema, optional: true } : schema };
      });
    return { type: SchemaType.struct, fields };
  }

  #union(branches: readonly JsonSchemaObject[], document: JsonSchemaObject, level: number): Schema {
    const others = branches.filter((branch) => branch['type'] !== 'null');
    const optional = others.length < branches.length ? { optional: true } : undefined;
    const [only] = others;
    if (only !== undefined && others.length === 1) return { ...this.#schema({ part: only, document }, level + 1), ...optional };
    const parts = others.map((branch, n) => ({
      name: `${ONE_OF_NAME}.field.${n}`,
      schema: { ...this.#schema({ part: branch, document }, level + 1), optional: true },
      fits: this.#fits(branch, document),
    }));
    const fields = parts.map(({ name, schema }) => ({ name, schema }));
    this.#reader.branches.set(fields, parts);
    return { type: SchemaType.struct, name: ONE_OF_NAME, fields, ...optional };
  }

  /** A part that many refer to is compiled once. */
  #fits(part: JsonSchemaObject, document: JsonSchemaObject): Fits {
    const fits = this.#fitsByPart.get(part) ?? this.fitsOf(part, document);
    this.#fitsByPart.set(part, fits);
    return fits;
  }

  #described(part: JsonSchemaObject, base: Schema): Schema {
    const { title, description, [CONNECT_VERSION]: version, [CONNECT_PARAMETERS]: parameters, default: fallback } = part;
    const schema: Schema = {
      ...base,
      ...(typeof title === 'string' && title !== '' ? { name: title } : undefined),
      ...(typeof version === 'number' ? { version } : undefined),
      ...(typeof description === 'string' ? { doc: description } : undefined),
      ...(isPart(parameters) ? { parameters: { ...base.parameters, ...(parameters as Record<string, string>) } } : undefined),
    };
    if (fallback === undefined || fallback === null) return schema;
    requireSchema(schema);
    return { ...schema, default: this.#reader.read(fallback as JsonValue, schema, 'schema.default') };
  }

  #referred(reference: string, from: JsonSchemaObject): Place {
    const [file = '', pointer = ''] = reference.split('#');
    const document = file === '' ? from : this.references.get(file);
    let part: unknown = document;
    for (const name of pointer.split('/').slice(1)) {
      const key = decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~');
      part = isPart(part) && Object.hasOwn(part, key) ? part[key] : undefined;
    }
    if (isPart(part) && document !== undefined) return { part, document };
    throw new TypeError(`There is no schema ${reference}`);
  }
}

/** Values by `allOf` have what each of its parts names; what is not merged here would be lost. */
function requireNoMerge(part: JsonSchemaObject): void {
  const parts = part['allOf'];
  if (!Array.isArray(parts)) return;
  for (const each of parts as readonly unknown[]) {
    const keyword = isPart(each) ? Object.keys(each).find((name) => SHAPES.has(name)) : undefined;
    if (keyword !== undefined) throw new TypeError(`Unsupported schema: allOf with ${keyword}; give its parts in one schema`);
  }
}

function enumOf(symbols: readonly unknown[]): Schema {
  const texts = symbols.filter((symbol) => typeof symbol === 'string');
  if (texts.length < symbols.length) throw new TypeError('Unsupported schema: an enum of other values than strings');
  return {
    type: SchemaType.string,
    parameters: { [ENUM_PARAMETER]: '', ...Object.fromEntries(texts.map((symbol) => [`${ENUM_PARAMETER}.${symbol}`, symbol])) },
  };
}

function isPart(value: unknown): value is JsonSchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
