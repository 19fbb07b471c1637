import { logicalTypeOf, LogicalType, SCALE_PARAMETER, type Schema, SchemaType } from '@sluice/sdk';
import { LOGICAL_MESSAGES, WRAPPER_FILE, WRAPPERS } from './protobuf-logical.js';
import {
  DEFAULT_NAME,
  ENTRY_SUFFIX,
  ENUM_PARAMETER,
  FIELD_META,
  isUnion,
  KEY_FIELD,
  META_FILE,
  PRECISION_PARAMETER,
  protobufName,
  type ProtobufSettings,
  simpleName,
  TAG_PARAMETER,
  UNION_PREFIX,
  VALUE_FIELD,
} from './protobuf-names.js';

const INDENT = '  ';
const MAX_TAG = 536_870_911;
/** Protobuf keeps these numbers for itself. */
const RESERVED_FROM = 19_000;
const RESERVED_TO = 19_999;

const SCALARS: Partial<Record<SchemaType, string>> = {
  [SchemaType.int8]: 'int32',
  [SchemaType.int16]: 'int32',
  [SchemaType.int32]: 'int32',
  [SchemaType.int64]: 'int64',
  [SchemaType.float32]: 'float',
  [SchemaType.float64]: 'double',
  [SchemaType.boolean]: 'bool',
  [SchemaType.string]: 'string',
  [SchemaType.bytes]: 'bytes',
};
const MAP_KEYS: ReadonlySet<string> = new Set(['int32', 'int64', 'bool', 'string']);

/** A message while its text is made: what is declared inside of it, by name. */
interface Scope {
  readonly fieldNames: ReadonlySet<string>;
  readonly declared: Map<string, readonly string[]>;
}

/** Makes the text of a .proto file of a schema in the form of Confluent's ProtobufConverter, once. Throws errors that name the part. */
export class ProtobufEncoder {
  readonly #imports = new Set<string>();
  #unnamed = 0;

  constructor(private readonly settings: ProtobufSettings) {}

  /** The schema must be valid. Returns the text with the full name of the message. */
  fileOf(schema: Schema): { readonly text: string; readonly recordName: string } {
    if (schema.type !== SchemaType.struct)
      throw new TypeError(`The schema is of type ${schema.type}; Protobuf has messages at the top, so a struct is needed`);
    const fullName = schema.name ?? `${DEFAULT_NAME}${(this.#unnamed += 1)}`;
    const name = this.#name(simpleName(fullName));
    const namespace = fullName.includes('.') ? fullName.slice(0, fullName.lastIndexOf('.')) : undefined;
    const scoped = this.settings['enhanced.protobuf.schema.support'] ? namespace?.split('.').map((part) => this.#name(part)) : undefined;
    const message = this.#message(schema, name);
    const lines = [
      'syntax = "proto3";',
      ...(scoped === undefined ? [] : [`package ${scoped.join('.')};`]),
      '',
      ...[...this.#imports].sort().map((file) => `import "${file}";`),
      ...(this.#imports.size === 0 ? [] : ['']),
      ...message,
      '',
    ];
    return { text: lines.join('\n'), recordName: [...(scoped ?? []), name].join('.') };
  }

  #message(schema: Schema, name: string): readonly string[] {
    const fields = (schema.fields ?? []).flatMap((field) => (isUnion(field.schema.name) ? (field.schema.fields ?? []) : [field]));
    const names = fields.map((field) => this.#name(field.name));
    const repeated = names.find((each, n) => names.indexOf(each) < n);
    if (repeated !== undefined) throw new TypeError(`The message ${name} has two fields ${repeated}`);
    const scope: Scope = { fieldNames: new Set(names), declared: new Map() };
    const tags = tagsOf(
      fields.map((field) => field.schema),
      name,
    );
    let place = 0;
    const tagged = (field: { readonly name: string; readonly schema: Schema }, isBranch: boolean): string => {
      const tag = tags[place] ?? 0;
      place += 1;
      return this.#field(scope, this.#name(field.name), field.schema, tag, isBranch);
    };
    const body = (schema.fields ?? []).flatMap((field) => {
      const { name: fieldSchemaName } = field.schema;
      if (!isUnion(fieldSchemaName)) return [tagged(field, false)];
      const branches = (field.schema.fields ?? []).map((branch) => INDENT + tagged(branch, true));
      return [`oneof ${this.#name(simpleName(fieldSchemaName.slice(UNION_PREFIX.length)))} {`, ...branches, '}'];
    });
    const inner = [...body, ...[...scope.declared.values()].flat()].map((line) => INDENT + line);
    return [`message ${name} {`, ...inner, '}'];
  }

  #field(scope: Scope, name: string, schema: Schema, tag: number, isBranch: boolean): string {
    if (schema.type === SchemaType.array) {
      const items = partOf(schema.valueSchema);
      if (isBranch) throw new TypeError(`${name} is an array in a oneof, which Protobuf does not have`);
      if (items.type === SchemaType.array || items.type === SchemaType.map)
        throw new TypeError(`${name} is an array of type ${items.type}; Protobuf has arrays of scalars and messages`);
      return `repeated ${this.#type(scope, name, items)} ${name} = ${tag}${this.#options(items)};`;
    }
    if (schema.type === SchemaType.map) {
      if (isBranch) throw new TypeError(`${name} is a map in a oneof, which Protobuf does not have`);
      return `${this.#map(scope, name, schema)} ${name} = ${tag};`;
    }
    const type = this.#type(scope, name, schema);
    const isScalar = SCALARS[schema.type] !== undefined && logicalTypeOf(schema.name) === undefined;
    const isLabelled = !isBranch && isScalar && schema.optional === true && !type.startsWith('google.protobuf.');
    const label = isLabelled && this.settings['optional.for.nullables'] ? 'optional ' : '';
    return `${label}${type} ${name} = ${tag}${this.#options(schema)};`;
  }

  #type(scope: Scope, fieldName: string, schema: Schema): string {
    const logical = logicalTypeOf(schema.name);
    if (logical !== undefined && schema.type !== SchemaType.struct) {
      this.#imports.add(LOGICAL_MESSAGES[logical].file);
      return LOGICAL_MESSAGES[logical].name;
    }
    if (schema.type === SchemaType.struct) {
      const given = schema.name ?? `${DEFAULT_NAME}${(this.#unnamed += 1)}`;
      const name = freeName(scope, this.#name(simpleName(given)), 'Message');
      return declare(scope, name, this.#message(schema, name));
    }
    const enumName = schema.type === SchemaType.string ? schema.parameters?.[ENUM_PARAMETER] : undefined;
    if (enumName !== undefined) return this.#enum(scope, schema, this.#name(simpleName(enumName)));
    const scalar = SCALARS[schema.type];
    if (scalar === undefined) throw new TypeError(`${fieldName} is of type ${schema.type}, which has no place here`);
    const wrapper = WRAPPERS[schema.type];
    if (schema.optional !== true || !this.settings['wrapper.for.nullables'] || wrapper === undefined) return scalar;
    this.#imports.add(WRAPPER_FILE);
    return `google.protobuf.${wrapper}`;
  }

  #map(scope: Scope, name: string, schema: Schema): string {
    const [keys, values] = [partOf(schema.keySchema), partOf(schema.valueSchema)];
    const isPlain = logicalTypeOf(keys.name) === undefined && keys.parameters?.[ENUM_PARAMETER] === undefined && keys.optional !== true;
    const key = SCALARS[keys.type] ?? '';
    const isNested = values.type === SchemaType.array || values.type === SchemaType.map;
    // An option of a value has no place in a map.
    if (isPlain && MAP_KEYS.has(key) && !isNested && this.#options(values) === '' && this.#options(keys) === '')
      return `map<${key}, ${this.#type(scope, name, values)}>`;
    const given = schema.name === undefined ? name.charAt(0).toUpperCase() + name.slice(1) : this.#name(simpleName(schema.name));
    const entry = freeName(scope, given + ENTRY_SUFFIX, ENTRY_SUFFIX);
    const fields = [
      { name: KEY_FIELD, schema: keys },
      { name: VALUE_FIELD, schema: values },
    ];
    return `repeated ${declare(scope, entry, this.#message({ type: SchemaType.struct, fields }, entry))}`;
  }

  #enum(scope: Scope, schema: Schema, name: string): string {
    const prefix = `${ENUM_PARAMETER}.`;
    const symbols = Object.entries(schema.parameters ?? {})
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, number]) => ({ symbol: this.#name(key.slice(prefix.length)), number: Number(number) }));
    const first = symbols.findIndex(({ number }) => number === 0);
    if (first < 0 || symbols.some(({ number }) => !Number.isInteger(number)))
      throw new TypeError(`The enum ${name} has no symbol with the number 0, or one without a number`);
    const sorted = [...symbols.splice(first, 1), ...symbols];
    const isAlias = new Set(sorted.map(({ number }) => number)).size < sorted.length;
    const lines = sorted.map(({ symbol, number }) => `${INDENT}${symbol} = ${number};`);
    return declare(scope, name, [`enum ${name} {`, ...(isAlias ? [`${INDENT}option allow_alias = true;`] : []), ...lines, '}']);
  }

  #options(schema: Schema): string {
    const entries: [string, string][] = [];
    if (schema.type === SchemaType.int8 || schema.type === SchemaType.int16) entries.push(['connect.type', schema.type]);
    if (logicalTypeOf(schema.name) === LogicalType.decimal) {
      const { [PRECISION_PARAMETER]: precision, [SCALE_PARAMETER]: scale } = schema.parameters ?? {};
      if (precision !== undefined) entries.push(['precision', precision]);
      if (scale !== undefined) entries.push(['scale', scale]);
    }
    if (entries.length === 0) return '';
    this.#imports.add(META_FILE);
    const params = entries.map(([key, value]) => `{ key: "${key}", value: ${JSON.stringify(value)} }`);
    return ` [${FIELD_META} = { params: [${params.join(', ')}] }]`;
  }

  #name(name: string): string {
    return protobufName(name, this.settings['scrub.invalid.names']);
  }
}

/** Fields and types share the names of a message. */
function freeName({ fieldNames }: Scope, name: string, suffix: string): string {
  return fieldNames.has(name) ? freeName({ fieldNames, declared: new Map() }, name + suffix, suffix) : name;
}

function declare({ declared }: Scope, name: string, lines: readonly string[]): string {
  const known = declared.get(name);
  if (known !== undefined && known.join('\n') !== lines.join('\n'))
    throw new TypeError(`Two different schemas are called ${name}; give each a name of its own`);
  declared.set(name, lines);
  return name;
}

/** Returns the numbers of fields: those of their parameters, and free ones for the others. */
function tagsOf(schemas: readonly Schema[], message: string): readonly number[] {
  const given = schemas.map(({ parameters }) => parameters?.[TAG_PARAMETER]);
  const taken = new Set<number>();
  for (const text of given) {
    if (text === undefined) continue;
    const tag = Number(text);
    const isTag = Number.isInteger(tag) && tag >= 1 && tag <= MAX_TAG && (tag < RESERVED_FROM || tag > RESERVED_TO);
    if (!isTag || taken.has(tag)) throw new TypeError(`The message ${message} has the number ${text} twice, or Protobuf does not allow it`);
    taken.add(tag);
  }
  let next = 0;
  return given.map((text) => {
    if (text !== undefined) return Number(text);
    do next = next + 1 === RESERVED_FROM ? RESERVED_TO + 1 : next + 1;
    while (taken.has(next));
    return next;
  });
}

/** A valid schema has the parts that its type needs. */
function partOf(schema: Schema | undefined): Schema {
  if (schema === undefined) throw new TypeError('The schema was not checked');
  return schema;
}
