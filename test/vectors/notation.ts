import {
  type ConnectObject,
  type ConnectRecord,
  type ConnectValue,
  Decimal,
  isObjectMap,
  type RecordHeader,
  type Schema,
  type SchemaField,
  SchemaType,
  type SinkRecord,
} from '@sluice/sdk';

/** JSON as a vector holds it; README.md describes the notation. */
export type Notation = null | boolean | number | string | readonly Notation[] | NotationObject;
export interface NotationObject {
  readonly [name: string]: Notation;
}

/** Bytes as a vector holds them: null, text in UTF-8, or base64. */
export type BytesNotation = null | { readonly text?: string; readonly base64?: string };

/** A value and its schema, as a vector holds them. */
export interface ValueNotation {
  readonly schema?: Notation;
  readonly value: Notation;
}

/** A record, as a vector holds it; parts that are left out are null. */
export interface RecordNotation {
  readonly topic?: string;
  readonly partition?: number | null;
  /** Only records of sinks have one. */
  readonly offset?: number | null;
  readonly timestamp?: number | null;
  readonly keySchema?: Notation;
  readonly key?: Notation;
  readonly valueSchema?: Notation;
  readonly value?: Notation;
  readonly headers?: readonly (ValueNotation & { readonly key: string })[] | null;
}

const NUMBERS = ['int8', 'int16', 'float32', 'float64'] as const;

export function readBytes(bytes: BytesNotation): Buffer | null {
  if (bytes === null) return null;
  return bytes.text === undefined ? Buffer.from(bytes.base64 ?? '', 'base64') : Buffer.from(bytes.text, 'utf8');
}

export function readSchema(notation: Notation | undefined): Schema | undefined {
  if (notation === null || notation === undefined) return undefined;
  if (typeof notation === 'string') {
    const type = typeOf(notation.replace('?', ''));
    return notation.endsWith('?') ? { type, optional: true } : { type };
  }
  const parts = notation as NotationObject;
  const type = typeOf(parts['type']);
  const [keySchema, valueSchema] = [readSchema(parts['keys']), readSchema(parts['values'])];
  const schema = {
    type,
    ...(parts['optional'] === true ? { optional: true } : undefined),
    ...(parts['name'] === undefined ? undefined : { name: parts['name'] as string }),
    ...(parts['version'] === undefined ? undefined : { version: parts['version'] as number }),
    ...(parts['doc'] === undefined ? undefined : { doc: parts['doc'] as string }),
    ...(parts['parameters'] === undefined ? undefined : { parameters: parts['parameters'] as Record<string, string> }),
    ...(keySchema === undefined ? undefined : { keySchema }),
    ...(valueSchema === undefined ? undefined : { valueSchema }),
    ...(type === SchemaType.struct ? { fields: readFields(parts['fields'] as NotationObject) } : undefined),
  };
  const fallback = parts['default'];
  return fallback === undefined ? schema : { ...schema, default: readValue(fallback, schema) };
}

/** Returns a value in Sluice's one form for its schema, or for what has none. */
export function readValue(notation: Notation, schema?: Schema): ConnectValue {
  if (notation === null || typeof notation !== 'object') return notation;
  if (isList(notation)) return notation.map((item) => readValue(item, schema?.valueSchema));
  const parts = notation;
  for (const name of NUMBERS) if (parts[name] !== undefined) return Number(parts[name]);
  if (parts['int64'] !== undefined) return long(parts['int64'] as string, schema);
  if (parts['bigInteger'] !== undefined) return BigInt(parts['bigInteger'] as string);
  if (parts['decimal'] !== undefined) return new Decimal(BigInt(parts['decimal'] as string), parts['scale'] as number);
  if (parts['date'] !== undefined) return new Date(parts['date'] as number);
  if (parts['struct'] !== undefined) return struct(parts['struct'] as NotationObject, schema);
  if (parts['map'] !== undefined) return map(parts['map'] as readonly (readonly [Notation, Notation])[], schema);
  const bytes = parts['bytes'] ?? parts['buffer'];
  if (bytes !== undefined) return Buffer.from(bytes as string, 'base64');
  throw new TypeError(`The notation has no value ${JSON.stringify(notation)}`);
}

/** Returns a record of a source, or, where it has an offset, of a sink. */
export function readRecord(notation: RecordNotation): ConnectRecord | SinkRecord {
  const { topic = '', partition, offset, timestamp, key, value = null, headers } = notation;
  const [keySchema, schema] = [readSchema(notation.keySchema), readSchema(notation.valueSchema)];
  const record: ConnectRecord = {
    topic,
    ...(key === undefined && keySchema === undefined ? undefined : { key: readValue(key ?? null, keySchema) }),
    ...(keySchema === undefined ? undefined : { keySchema }),
    value: readValue(value, schema),
    ...(schema === undefined ? undefined : { schema }),
    ...(headers === null || headers === undefined ? undefined : { headers: headers.map(readHeader) }),
    ...(timestamp === null || timestamp === undefined ? undefined : { timestamp }),
  };
  if (offset === null || offset === undefined) return record;
  return { ...record, queue: { topic, brokerName: 'broker-a', queueId: partition ?? 0 }, offset };
}

function readHeader(header: ValueNotation & { readonly key: string }): RecordHeader {
  const schema = readSchema(header.schema);
  return { key: header.key, value: readValue(header.value, schema), ...(schema === undefined ? undefined : { schema }) };
}

function readFields(fields: NotationObject): readonly SchemaField[] {
  return Object.entries(fields).map(([name, schema]) => ({ name, schema: readSchema(schema) ?? { type: SchemaType.string } }));
}

function typeOf(name: Notation | undefined): SchemaType {
  if (typeof name === 'string' && Object.hasOwn(SchemaType, name)) return name as SchemaType;
  throw new TypeError(`The notation has no type ${JSON.stringify(name)}`);
}

/** A Java Long without a schema is what Sluice's JsonConverter makes of its digits. */
function long(digits: string, schema: Schema | undefined): number | bigint {
  const value = BigInt(digits);
  return schema === undefined && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function struct(fields: NotationObject, schema: Schema | undefined): ConnectObject {
  const schemaOf = new Map(schema?.fields?.map((field) => [field.name, field.schema]));
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, readValue(value, schemaOf.get(name))]));
}

function map(entries: readonly (readonly [Notation, Notation])[], schema: Schema | undefined): ConnectValue {
  const read = entries.map(([key, value]) => [readValue(key, schema?.keySchema), readValue(value, schema?.valueSchema)] as const);
  const isObject = schema?.keySchema === undefined ? read.every(([key]) => typeof key === 'string') : isObjectMap(schema);
  return isObject ? (Object.fromEntries(read) as ConnectObject) : new Map(read);
}

function isList(notation: Notation): notation is readonly Notation[] {
  return Array.isArray(notation);
}
