import protobuf from 'protobufjs';
import {
  arrayItems,
  type ConnectValue,
  Decimal,
  logicalTypeOf,
  mapOf,
  objectMapOf,
  scalarOf,
  type Schema,
  SchemaType,
  structOf,
} from '@sluice/sdk';
import { isWrapper, LOGICAL_MESSAGES, longOf, toLogicalMessage } from './protobuf-logical.js';
import { isUnion, KEY_FIELD, protobufName, type ProtobufSettings, VALUE_FIELD } from './protobuf-names.js';

/** Makes what the library writes for a value; `undefined` for a null, which is not written. */
type Write = (value: ConnectValue | undefined, path: string) => unknown;
type Struct = Readonly<Record<string, ConnectValue | undefined>>;
type Put = (struct: Struct, message: Record<string, unknown>, path: string) => void;

const INTEGERS: Readonly<Record<string, { readonly min: bigint; readonly max: bigint; readonly isLong: boolean }>> = {
  int32: { min: -(2n ** 31n), max: 2n ** 31n - 1n, isLong: false },
  sint32: { min: -(2n ** 31n), max: 2n ** 31n - 1n, isLong: false },
  sfixed32: { min: -(2n ** 31n), max: 2n ** 31n - 1n, isLong: false },
  uint32: { min: 0n, max: 2n ** 32n - 1n, isLong: false },
  fixed32: { min: 0n, max: 2n ** 32n - 1n, isLong: false },
  int64: { min: -(2n ** 63n), max: 2n ** 63n - 1n, isLong: true },
  sint64: { min: -(2n ** 63n), max: 2n ** 63n - 1n, isLong: true },
  sfixed64: { min: -(2n ** 63n), max: 2n ** 63n - 1n, isLong: true },
  uint64: { min: 0n, max: 2n ** 64n - 1n, isLong: true },
  fixed64: { min: 0n, max: 2n ** 64n - 1n, isLong: true },
};
const OTHERS: Readonly<Record<string, readonly SchemaType[]>> = {
  float: [SchemaType.float32],
  double: [SchemaType.float32, SchemaType.float64],
  bool: [SchemaType.boolean],
  string: [SchemaType.string],
  bytes: [SchemaType.bytes],
};
const WHOLE: ReadonlySet<SchemaType> = new Set([SchemaType.int8, SchemaType.int16, SchemaType.int32, SchemaType.int64]);

/** Makes messages of values, by the fields that a message has. Throws errors that name the part. */
export class ProtobufWriter {
  /** @param isStrict whether the message must have each field of the schema; otherwise a value without one is an error */
  constructor(
    private readonly settings: ProtobufSettings,
    private readonly isStrict: boolean,
  ) {}

  /** Both must be valid. @throws TypeError where the message cannot hold what the schema describes */
  writerOf(schema: Schema, type: protobuf.Type): (value: ConnectValue | undefined, path: string) => object {
    if (schema.type !== SchemaType.struct) throw new TypeError(`The message ${type.name} cannot hold a value of type ${schema.type}`);
    const parts = (schema.fields ?? []).flatMap(({ name, schema: fieldSchema }) =>
      isUnion(fieldSchema.name) ? [this.#union(name, fieldSchema, type)] : [this.#field(name, fieldSchema, type)],
    );
    const names = new Set((schema.fields ?? []).map(({ name }) => this.#name(name)));
    const missing = type.fieldsArray.find((field) => field.required && !names.has(field.name));
    if (missing !== undefined) throw new TypeError(`The message ${type.name} requires the field ${missing.name}, which the schema has not`);
    return (value, path) => {
      const struct = structOf(schema, value ?? null, path);
      const message: Record<string, unknown> = {};
      for (const put of parts) put(struct, message, path);
      return message;
    };
  }

  #field(name: string, schema: Schema, type: protobuf.Type): Put {
    const target = this.#name(name);
    const field = Object.hasOwn(type.fields, target) ? type.fields[target] : undefined;
    if (field === undefined) {
      if (this.isStrict) throw new TypeError(`The message ${type.name} has no field ${target}`);
      return (struct, _message, path) => {
        if (ownOf(struct, name) !== undefined) throw new TypeError(`${path}.${name}: the message ${type.name} has no such field`);
      };
    }
    const write = this.#valueOf(schema, field);
    const isRequired = field.resolve().required;
    return (struct, message, path) => {
      const value = write(Object.hasOwn(struct, name) ? struct[name] : undefined, `${path}.${name}`);
      if (value !== undefined) message[target] = value;
      else if (isRequired) throw new TypeError(`${path}.${name}: null given; the message ${type.name} requires the field`);
    };
  }

  /** A union is a struct with a field for each branch, of which at most one is set. */
  #union(name: string, schema: Schema, type: protobuf.Type): Put {
    const branches = (schema.fields ?? []).map((branch) => ({ name: branch.name, put: this.#field(branch.name, branch.schema, type) }));
    return (struct, message, path) => {
      const given = ownOf(struct, name);
      if (given === undefined) return;
      const at = `${path}.${name}`;
      const union = structOf(schema, given, at);
      const set = branches.filter((branch) => ownOf(union, branch.name) !== undefined);
      if (set.length > 1) throw new TypeError(`${at}: ${set.length} branches of the oneof are set; at most one is possible`);
      set[0]?.put(union, message, at);
    };
  }

  /** Writes a default in the place of what is missing. */
  #valueOf(schema: Schema, field: protobuf.Field): Write {
    const write = this.#partOf(schema, field.resolve());
    const keepsNull = schema.optional === true && this.settings['ignore.default.for.nullables'];
    return (value, path) => {
      const given = value === undefined || (value === null && !keepsNull) ? (schema.default ?? null) : value;
      if (given !== null) return write(given, path);
      if (schema.optional === true) return undefined;
      throw new TypeError(`${path}: null value for field that is required and has no default value`);
    };
  }

  #partOf(schema: Schema, field: protobuf.Field): Write {
    if (schema.type === SchemaType.map) return field instanceof protobuf.MapField ? this.#map(schema, field) : this.#entries(schema, field);
    if (schema.type !== SchemaType.array) {
      if (field.repeated || field.map) throw unfit(schema, field);
      return this.#single(schema, field);
    }
    if (!field.repeated || field.map) throw unfit(schema, field);
    const items = this.#item(requirePart(schema.valueSchema), field);
    return (value, path) => arrayItems(value ?? null, path).map((item, n) => items(item, `${path}[${n}]`));
  }

  /** A null has no place among the items of an array or a map. */
  #item(schema: Schema, field: protobuf.FieldBase): Write {
    const write = this.#single(schema, field);
    return (value, path) => {
      const given = value ?? schema.default ?? null;
      if (given !== null) return write(given, path);
      throw new TypeError(`${path}: null given; Protobuf has no null in arrays and maps`);
    };
  }

  #map(schema: Schema, field: protobuf.MapField): Write {
    const { keyType } = field;
    const values = this.#item(requirePart(schema.valueSchema), field);
    const keySchema = requirePart(schema.keySchema);
    const checkKey = scalarWrite(keySchema, keyType, field);
    return (value, path) => {
      const message = Object.create(null) as Record<string, unknown>;
      for (const [given, item] of pairsOf(schema, value, path)) {
        checkKey(given, path);
        // The library takes keys of every type by their digits or letters.
        const key = scalarOf(keySchema, given, path) as boolean | number | bigint | string;
        message[key.toString()] = values(item, path);
      }
      return message;
    };
  }

  /** A map whose keys are no scalars is an array of messages of key and value. */
  #entries(schema: Schema, field: protobuf.Field): Write {
    const entry = field.resolvedType;
    if (!field.repeated || !(entry instanceof protobuf.Type)) throw unfit(schema, field);
    const fields = [
      { name: KEY_FIELD, schema: requirePart(schema.keySchema) },
      { name: VALUE_FIELD, schema: requirePart(schema.valueSchema) },
    ];
    const write = this.writerOf({ type: SchemaType.struct, fields }, entry);
    return (value, path) =>
      Array.from(pairsOf(schema, value, path), ([key, item], n) => write({ key, value: item ?? null }, `${path}[${n}]`));
  }

  #single(schema: Schema, field: protobuf.FieldBase): Write {
    const { resolvedType } = field;
    if (!(resolvedType instanceof protobuf.Type)) return scalarWrite(schema, field.type, field);
    const logical = logicalTypeOf(schema.name);
    if (logical !== undefined && resolvedType.fullName === `.${LOGICAL_MESSAGES[logical].name}`) {
      return (value, path) => {
        const scalar = scalarOf(schema, value ?? null, path);
        if (scalar instanceof Date || scalar instanceof Decimal) return toLogicalMessage(scalar, logical, path);
        throw new TypeError(`${path}: the value is of no logical type`);
      };
    }
    if (schema.type === SchemaType.struct) return this.writerOf(schema, resolvedType);
    const inner = isWrapper(resolvedType.fullName) ? resolvedType.fields[VALUE_FIELD]?.resolve() : undefined;
    if (inner === undefined) throw unfit(schema, field);
    const write = scalarWrite(schema, inner.type, inner);
    return (value, path) => ({ [VALUE_FIELD]: write(value, path) });
  }

  #name(name: string): string {
    return protobufName(name, this.settings['scrub.invalid.names']);
  }
}

function scalarWrite(schema: Schema, type: string, field: protobuf.FieldBase): Write {
  const { resolvedType } = field;
  if (logicalTypeOf(schema.name) !== undefined) throw unfit(schema, field);
  if (resolvedType instanceof protobuf.Enum && type === field.type && schema.type === SchemaType.string)
    return enumWrite(schema, resolvedType);
  const range = INTEGERS[type];
  if (range !== undefined && WHOLE.has(schema.type)) {
    return (value, path) => {
      const whole = scalarOf(schema, value ?? null, path) as number | bigint;
      if (whole < range.min || whole > range.max)
        throw new TypeError(`${path}: ${whole} given; ${type} allows whole numbers from ${range.min} to ${range.max}`);
      return range.isLong ? longOf(BigInt(whole)) : Number(whole);
    };
  }
  if (OTHERS[type]?.includes(schema.type) !== true) throw unfit(schema, field);
  if (schema.type !== SchemaType.string) return (value, path) => scalarOf(schema, value ?? null, path);
  return (value, path) => {
    const text = scalarOf(schema, value ?? null, path) as string;
    if (!/\p{Surrogate}/u.test(text)) return text;
    throw new TypeError(`${path}: the text holds half of a surrogate pair, which UTF-8 has no bytes for`);
  };
}

function enumWrite(schema: Schema, { name, values }: protobuf.Enum): Write {
  return (value, path) => {
    const symbol = scalarOf(schema, value ?? null, path) as string;
    const number = Object.hasOwn(values, symbol) ? values[symbol] : undefined;
    if (number !== undefined) return number;
    throw new TypeError(`${path}: the value is no symbol of the enum ${name}`);
  };
}

function pairsOf(
  schema: Schema,
  value: ConnectValue | undefined,
  path: string,
): Iterable<readonly [ConnectValue, ConnectValue | undefined]> {
  const given = value ?? null;
  return schema.keySchema?.type === SchemaType.string ? Object.entries(objectMapOf(given, path)) : mapOf(schema, given, path);
}

function ownOf(struct: Struct, name: string): ConnectValue | undefined {
  return (Object.hasOwn(struct, name) ? struct[name] : undefined) ?? undefined;
}

function unfit(schema: Schema, field: protobuf.FieldBase): TypeError {
  const kind = field.map ? 'a map' : field.repeated ? `repeated ${field.type}` : field.type;
  return new TypeError(`The field ${field.name} is ${kind}, which cannot hold a value of type ${schema.name ?? schema.type}`);
}

/** A valid schema has the parts that its type needs. */
function requirePart(schema: Schema | undefined): Schema {
  if (schema === undefined) throw new TypeError('The schema was not checked');
  return schema;
}
