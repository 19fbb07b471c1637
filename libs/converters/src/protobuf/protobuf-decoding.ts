import protobuf from 'protobufjs';
import { type ConnectValue, LogicalType, SCALE_PARAMETER, scalarOf, type Schema, SchemaType } from '@sluice/sdk';
import { bigintOf, fromLogicalMessage, isWrapper, type Long, LOGICAL_BY_MESSAGE } from './protobuf-logical.js';
import {
  ENTRY_SUFFIX,
  ENUM_PARAMETER,
  FIELD_META,
  KEY_FIELD,
  PRECISION_PARAMETER,
  type ProtobufSettings,
  TAG_PARAMETER,
  UNION_PREFIX,
  VALUE_FIELD,
} from './protobuf-names.js';

/** Makes a value of what the library has for one that is set. */
type Decode = (value: unknown) => ConnectValue;

/** A schema with what makes values of it. */
export interface ProtobufDecoding {
  readonly schema: Schema;
  readonly decode: Decode;
}

interface FieldDecoding extends ProtobufDecoding {
  readonly name: string;
  /** Makes the value of a field that is not set. */
  readonly absent: () => ConnectValue;
}

const MAX_INT64 = 2n ** 63n - 1n;
const SCALARS: Readonly<Record<string, SchemaType>> = {
  int32: SchemaType.int32,
  sint32: SchemaType.int32,
  sfixed32: SchemaType.int32,
  uint32: SchemaType.int64,
  fixed32: SchemaType.int64,
  int64: SchemaType.int64,
  sint64: SchemaType.int64,
  sfixed64: SchemaType.int64,
  uint64: SchemaType.int64,
  fixed64: SchemaType.int64,
  float: SchemaType.float32,
  double: SchemaType.float64,
  bool: SchemaType.boolean,
  string: SchemaType.string,
  bytes: SchemaType.bytes,
};
const UNSIGNED: ReadonlySet<string> = new Set(['uint64', 'fixed64']);

/** Makes schemas of messages as Confluent's ProtobufConverter does. Throws errors that name the part. */
export class ProtobufDecoder {
  readonly #open = new Set<protobuf.Type>();

  constructor(private readonly settings: ProtobufSettings) {}

  decodingOf(type: protobuf.Type): ProtobufDecoding {
    if (this.#open.has(type)) throw new TypeError(`The message ${type.name} holds itself; such a schema is not supported`);
    this.#open.add(type);
    const oneofs = type.oneofsArray.filter((oneof) => !oneof.isProto3Optional);
    const isFlat = this.settings['flatten.unions'];
    const unions = isFlat ? [] : oneofs.map((oneof, n) => ({ name: this.#unionName(oneof, n), ...this.#union(oneof) }));
    const inUnions = new Set(isFlat ? [] : oneofs.flatMap((oneof) => oneof.fieldsArray));
    const fields = type.fieldsArray.filter((field) => !inUnions.has(field)).map((field) => this.#field(field));
    this.#open.delete(type);
    const schemas = [...unions, ...fields].map(({ name, schema }) => ({ name, schema }));
    const repeated = schemas.find(({ name }, n) => schemas.findIndex((each) => each.name === name) < n);
    if (repeated !== undefined) throw new TypeError(`The message ${type.name} has a field and a oneof of the name ${repeated.name}`);
    return {
      schema: { type: SchemaType.struct, name: this.#name(type), fields: schemas },
      decode: (value) => {
        const message = value as Readonly<Record<string, unknown>>;
        const struct: Record<string, ConnectValue> = {};
        for (const union of unions) struct[union.name] = union.decode(message);
        for (const field of fields) struct[field.name] = readOf(field, message);
        return struct;
      },
    };
  }

  #unionName(oneof: protobuf.OneOf, index: number): string {
    return this.settings['generate.index.for.unions'] ? `${oneof.name}_${index}` : oneof.name;
  }

  #union(oneof: protobuf.OneOf): ProtobufDecoding {
    const branches = oneof.fieldsArray.map((field) => this.#field(field));
    const empty = Object.fromEntries(branches.map(({ name }) => [name, null]));
    const fields = branches.map(({ name, schema }) => ({ name, schema }));
    return {
      schema: { type: SchemaType.struct, name: UNION_PREFIX + oneof.name, optional: true, fields },
      decode: (value) => {
        const message = value as Readonly<Record<string, unknown>>;
        // Where the bytes hold several, the library keeps the last one, and has its name under the oneof.
        const set = branches.find(({ name }) => Object.hasOwn(message, name) && message[oneof.name] === name);
        return set === undefined ? null : { ...empty, [set.name]: set.decode(message[set.name]) };
      },
    };
  }

  #field(field: protobuf.Field): FieldDecoding {
    field.resolve();
    const { name } = field;
    const parameters = { [TAG_PARAMETER]: String(field.id) };
    // Without a way to tell a null, each field may be one, as Confluent's converter has it.
    const isVague = !this.settings['optional.for.nullables'] && !this.settings['wrapper.for.nullables'];
    const collection = field instanceof protobuf.MapField ? this.#map(field) : field.repeated ? this.#repeated(field) : undefined;
    if (collection !== undefined) {
      const schema = { ...collection.schema, parameters, ...(isVague ? { optional: true } : undefined) };
      return { name, schema, decode: collection.decode, absent: () => collection.decode(field.map ? {} : []) };
    }
    const { schema: base, decode } = this.#single(field, field.type);
    const { resolvedType } = field;
    const hasDefault = field.getOption('default') !== undefined;
    const isMessage = resolvedType instanceof protobuf.Type;
    const isNullable = (field.hasPresence || isMessage) && !field.required && !hasDefault;
    const schema: Schema = {
      ...base,
      ...(isNullable || isVague ? { optional: true } : undefined),
      parameters: { ...base.parameters, ...parameters },
    };
    const isStruct = isMessage && schema.type === SchemaType.struct;
    if (isNullable && !(isStruct && field.partOf === null && this.settings['generate.struct.for.nulls']))
      return { name, schema, decode, absent: () => null };
    if (isStruct) return { name, schema, decode, absent: () => decode({}) };
    return { name, schema, decode, absent: () => decode(field.typeDefault) };
  }

  #repeated(field: protobuf.Field): ProtobufDecoding {
    const { resolvedType } = field;
    const entry = resolvedType instanceof protobuf.Type && isEntry(resolvedType) ? this.decodingOf(resolvedType) : undefined;
    const [key, value] = [KEY_FIELD, VALUE_FIELD].map((part) => entry?.schema.fields?.find(({ name }) => name === part)?.schema);
    if (entry === undefined || key === undefined || value === undefined) {
      const { schema: valueSchema, decode } = this.#single(field, field.type);
      return { schema: { type: SchemaType.array, valueSchema }, decode: (items) => (items as readonly unknown[]).map(decode) };
    }
    const pairs = (given: unknown): [ConnectValue, ConnectValue][] =>
      (given as readonly unknown[]).map((each) => {
        const pair = entry.decode(each) as { readonly key: ConnectValue; readonly value: ConnectValue };
        return [pair.key, pair.value];
      });
    return {
      schema: { type: SchemaType.map, keySchema: untagged(key), valueSchema: untagged(value) },
      decode:
        key.type === SchemaType.string
          ? (given) => Object.fromEntries(pairs(given) as [string, ConnectValue][])
          : (given) => new Map(pairs(given)),
    };
  }

  #map(field: protobuf.MapField): ProtobufDecoding {
    const { keyType } = field;
    const keySchema: Schema = { type: SCALARS[keyType] ?? SchemaType.string };
    const values = this.#single(field, field.type);
    const schema: Schema = { type: SchemaType.map, keySchema, valueSchema: values.schema };
    const entriesOf = (given: unknown): [string, ConnectValue][] =>
      Object.entries(given as object).map(([key, item]) => [key, values.decode(item ?? {})]);
    if (keySchema.type === SchemaType.string) return { schema, decode: (given) => Object.fromEntries(entriesOf(given)) };
    const keyOf = keyDecode(keyType);
    return { schema, decode: (given) => new Map(entriesOf(given).map(([key, item]) => [keyOf(key), item])) };
  }

  #single(field: protobuf.FieldBase, type: string): ProtobufDecoding {
    const { resolvedType } = field;
    if (resolvedType instanceof protobuf.Enum) return enumDecoding(resolvedType);
    if (!(resolvedType instanceof protobuf.Type)) return scalarDecoding(field, type);
    const logical = LOGICAL_BY_MESSAGE.get(resolvedType.fullName);
    if (logical !== undefined) return logicalDecoding(field, logical);
    const inner = isWrapper(resolvedType.fullName) && this.settings['wrapper.for.nullables'] ? resolvedType.fields[VALUE_FIELD] : undefined;
    if (inner === undefined) return this.decodingOf(resolvedType);
    const { schema, decode } = scalarDecoding(field, inner.resolve().type);
    // The library has the zero of a wrapper that is empty.
    return { schema, decode: (value) => decode((value as Readonly<Record<string, unknown>>)[VALUE_FIELD]) };
  }

  #name(type: protobuf.Type): string {
    return this.settings['enhanced.protobuf.schema.support'] ? type.fullName.slice(1) : type.name;
  }
}

function readOf({ name, decode, absent }: FieldDecoding, message: Readonly<Record<string, unknown>>): ConnectValue {
  return Object.hasOwn(message, name) ? decode(message[name]) : absent();
}

function scalarDecoding(field: protobuf.FieldBase, type: string): ProtobufDecoding {
  const plain = SCALARS[type];
  if (plain === undefined) throw new TypeError(`The field ${field.name} is of the unknown type ${type}`);
  if (plain === SchemaType.int64) {
    const isUnsigned = UNSIGNED.has(type);
    return { schema: { type: plain }, decode: (value) => int64Of(value, isUnsigned) };
  }
  if (plain === SchemaType.bytes) return { schema: { type: plain }, decode: (value) => Buffer.from(value as Uint8Array) };
  const small = plain === SchemaType.int32 ? metaOf(field).get('connect.type') : undefined;
  if (small !== SchemaType.int8 && small !== SchemaType.int16) return { schema: { type: plain }, decode: asIs };
  const schema: Schema = { type: small };
  return { schema, decode: (value) => scalarOf(schema, value as number, field.name) };
}

function int64Of(value: unknown, isUnsigned: boolean): bigint {
  if (typeof value === 'number') return BigInt(value);
  const number = bigintOf(value as Long, isUnsigned);
  if (number <= MAX_INT64) return number;
  throw new TypeError(`${number} is beyond what int64 can hold`);
}

function keyDecode(type: string): (key: string) => ConnectValue {
  if (type === 'bool') return (key) => key === 'true';
  if (SCALARS[type] === SchemaType.int32) return Number;
  const isUnsigned = UNSIGNED.has(type);
  // The library has keys of 64 bits as the eight bytes of the number, one character for each.
  if (type.endsWith('64')) return (key) => int64Of(protobuf.util.longFromKey(key, isUnsigned), isUnsigned);
  return BigInt;
}

function enumDecoding({ name, values, valuesById }: protobuf.Enum): ProtobufDecoding {
  const symbols = Object.entries(values).map(([symbol, number]) => [`${ENUM_PARAMETER}.${symbol}`, String(number)] as const);
  return {
    schema: { type: SchemaType.string, name, parameters: { [ENUM_PARAMETER]: name, ...Object.fromEntries(symbols) } },
    decode: (number) => valuesById[number as number] ?? `UNKNOWN_ENUM_VALUE_${name}_${number as number}`,
  };
}

function logicalDecoding(field: protobuf.FieldBase, logical: LogicalType): ProtobufDecoding {
  const meta = metaOf(field);
  const scale = Number(meta.get('scale') ?? 0);
  const precision = meta.get('precision');
  const parameters = { [SCALE_PARAMETER]: String(scale), ...(precision === undefined ? undefined : { [PRECISION_PARAMETER]: precision }) };
  const type = { [LogicalType.decimal]: SchemaType.bytes, [LogicalType.timestamp]: SchemaType.int64 } as Partial<
    Record<LogicalType, SchemaType>
  >;
  const schema: Schema = {
    type: type[logical] ?? SchemaType.int32,
    name: logical,
    version: 1,
    ...(logical === LogicalType.decimal ? { parameters } : undefined),
  };
  return { schema, decode: (value) => fromLogicalMessage(value as object, logical, scale) };
}

/** Returns the parameters of a field's option confluent.field_meta. */
function metaOf(field: protobuf.FieldBase): ReadonlyMap<string, string> {
  const options = (field.parsedOptions ?? []) as unknown as readonly Readonly<Record<string, unknown>>[];
  const found = options.flatMap((option) => [option[FIELD_META], option['(.confluent.field_meta)']]);
  const params = found.flatMap((each) => (each as { readonly params?: unknown } | undefined)?.params ?? []);
  return new Map((params as { readonly key: string; readonly value: string }[]).map(({ key, value }) => [key, value]));
}

function isEntry({ name, fieldsArray }: protobuf.Type): boolean {
  const [key, value] = fieldsArray;
  return name.endsWith(ENTRY_SUFFIX) && fieldsArray.length === 2 && key?.name === KEY_FIELD && value?.name === VALUE_FIELD;
}

/** The parts of a map have no numbers of their own. */
function untagged({ parameters: { [TAG_PARAMETER]: _tag, ...parameters } = {}, ...schema }: Schema): Schema {
  return Object.keys(parameters).length === 0 ? schema : { ...schema, parameters };
}

function asIs(value: unknown): ConnectValue {
  return value as ConnectValue;
}
