import {
  type ConnectRecord,
  type ConnectValue,
  Decimal,
  isConnectArray,
  isConnectObject,
  JsonNumber,
  type Schema,
  SchemaType,
  type SinkRecord,
} from '@sluice/sdk';

/** Explains where two values differ, or returns undefined. Each must have the one form that its schema prescribes. */
export function valueDifference(
  expected: ConnectValue,
  given: ConnectValue | undefined,
  schema: Schema | undefined,
  path: string,
): string | undefined {
  if (given === undefined) return missingDifference(expected, schema, path);
  if (expected === null || given === null) return expected === given ? undefined : unlike(path, expected, given);
  if (isNumeric(expected) && isNumeric(given)) return numberDifference(expected, given, schema, path);
  if (isConnectArray(expected)) {
    if (!isConnectArray(given) || given.length !== expected.length) return unlike(path, expected, given);
    return first(expected, (item, n) => valueDifference(item, given[n], schema?.valueSchema, `${path}[${n}]`));
  }
  if (expected instanceof Map) return mapDifference(expected as ReadonlyMap<ConnectValue, ConnectValue>, given, schema, path);
  if (isConnectObject(expected)) {
    if (!isConnectObject(given)) return unlike(path, expected, given);
    const fields = new Map(schema?.fields?.map((field) => [field.name, field.schema]));
    const extra = Object.keys(given).find((name) => !Object.hasOwn(expected, name));
    if (extra !== undefined) return `${path}.${extra} must not be there`;
    return first(Object.keys(expected), (name) => {
      const own = Object.hasOwn(given, name) ? given[name] : undefined;
      return valueDifference(expected[name] ?? null, own, fields.get(name) ?? schema?.valueSchema, `${path}.${name}`);
    });
  }
  return text(expected) === text(given) ? undefined : unlike(path, expected, given);
}

/** Explains where two schemas differ, or returns undefined. */
export function schemaDifference(expected: Schema | undefined, given: Schema | undefined, path: string): string | undefined {
  const [left, right] = [schemaText(expected), schemaText(given)];
  return left === right ? undefined : `${path} must be ${left}, and is ${right}`;
}

/** Explains where two records differ, or returns undefined. Kafka Connect cannot tell a null key from none. */
export function recordDifference(expected: ConnectRecord, given: ConnectRecord): string | undefined {
  const [left, right] = [expected as Partial<SinkRecord>, given as Partial<SinkRecord>];
  const [headers, own] = [expected.headers ?? [], given.headers ?? []];
  return (
    plainDifference(expected.topic, given.topic, 'topic') ??
    plainDifference(expected.timestamp, given.timestamp, 'timestamp') ??
    plainDifference(left.queue?.queueId, right.queue?.queueId, 'queue') ??
    plainDifference(left.offset, right.offset, 'offset') ??
    schemaDifference(expected.keySchema, given.keySchema, 'keySchema') ??
    valueDifference(expected.key ?? null, given.key ?? null, expected.keySchema, 'key') ??
    schemaDifference(expected.schema, given.schema, 'schema') ??
    valueDifference(expected.value, given.value, expected.schema, 'value') ??
    plainDifference(headers.map(({ key }) => key).join(), own.map(({ key }) => key).join(), 'headers') ??
    first(
      headers,
      ({ value, schema }, n) =>
        schemaDifference(schema, own[n]?.schema, `headers[${n}].schema`) ?? valueDifference(value, own[n]?.value, schema, `headers[${n}]`),
    )
  );
}

/** A field that a struct leaves out means its default, or null: what a null means that Kafka Connect keeps in a struct. */
function missingDifference(expected: ConnectValue, schema: Schema | undefined, path: string): string | undefined {
  if (expected === null && schema !== undefined) return undefined;
  const fallback = schema?.default;
  return fallback === undefined ? `${path} is missing` : valueDifference(expected, fallback, schema, path);
}

function numberDifference(
  expected: number | bigint | JsonNumber,
  given: number | bigint | JsonNumber,
  schema: Schema | undefined,
  path: string,
): string | undefined {
  const isEqual =
    schema === undefined
      ? plainNumber(expected) === plainNumber(given) || isSameFloat(expected, given)
      : typedNumber(expected, schema) === typedNumber(given, schema);
  return isEqual ? undefined : unlike(path, expected, given);
}

/** Without a schema Sluice has one number where Java has eight: the digits count. */
function plainNumber(value: number | bigint | JsonNumber): string {
  if (typeof value === 'bigint') return String(value);
  const number = Number(value);
  return Object.is(number, -0) ? '-0' : Number.isInteger(number) ? String(BigInt(number)) : String(number);
}

/** A number of at most nine digits may be a Float of Java, which stands for every number nearest to it. */
function isSameFloat(expected: number | bigint | JsonNumber, given: number | bigint | JsonNumber): boolean {
  if (typeof expected !== 'number' || typeof given !== 'number') return false;
  return expected === Number(expected.toPrecision(9)) && Math.fround(expected) === Math.fround(given);
}

/** With a schema the forms must be the same too. A float32 is the float nearest to the number. */
function typedNumber(value: number | bigint | JsonNumber, { type }: Schema): string {
  if (type !== SchemaType.float32 || typeof value !== 'number') return text(value);
  return text(Math.fround(value));
}

function mapDifference(
  expected: ReadonlyMap<ConnectValue, ConnectValue>,
  given: ConnectValue,
  schema: Schema | undefined,
  path: string,
): string | undefined {
  if (!(given instanceof Map) || given.size !== expected.size) return unlike(path, expected, given);
  const byText = new Map([...(given as ReadonlyMap<ConnectValue, ConnectValue>)].map(([key, value]) => [text(key), value]));
  return first([...expected], ([key, value]) =>
    valueDifference(value, byText.get(text(key)), schema?.valueSchema, `${path}{${text(key)}}`),
  );
}

function schemaText(schema: Schema | undefined): string {
  if (schema === undefined) return 'none';
  const { type, optional, name, version, doc, parameters = {}, fields, keySchema, valueSchema } = schema;
  const parts = {
    optional: optional === true ? 'true' : undefined,
    default: schema.default === undefined ? undefined : text(schema.default),
    name,
    version,
    doc,
    parameters: Object.keys(parameters).length === 0 ? undefined : JSON.stringify(Object.entries(parameters).sort()),
    keys: keySchema === undefined ? undefined : schemaText(keySchema),
    values: valueSchema === undefined ? undefined : schemaText(valueSchema),
    fields: fields?.map((field) => `${field.name}: ${schemaText(field.schema)}`).join(', '),
  };
  const given = Object.entries(parts).flatMap(([part, value]) => (value === undefined ? [] : [`${part} ${value}`]));
  return given.length === 0 ? type : `${type}(${given.join('; ')})`;
}

/** Writes a value with its form, so that `5` and `5n` differ. */
function text(value: ConnectValue | undefined): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (value instanceof JsonNumber) return `number ${value.text}`;
  if (value instanceof Decimal) return `decimal ${value.unscaled}/${value.scale}`;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`;
  if (isConnectArray(value)) return `[${value.map(text).join()}]`;
  const [entries, kind] = value instanceof Map ? [[...value], 'map'] : [Object.entries(value), ''];
  const pairs = (entries as readonly (readonly [ConnectValue, ConnectValue])[]).map(([key, item]) => `${text(key)}:${text(item)}`).sort();
  return `${kind}{${pairs.join()}}`;
}

function isNumeric(value: ConnectValue): value is number | bigint | JsonNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof JsonNumber;
}

function plainDifference(expected: string | number | undefined, given: string | number | undefined, path: string): string | undefined {
  return expected === given ? undefined : `${path} must be ${expected}, and is ${given}`;
}

function unlike(path: string, expected: ConnectValue, given: ConnectValue): string {
  return `${path} must be ${text(expected)}, and is ${text(given)}`;
}

function first<T>(items: readonly T[], differ: (item: T, n: number) => string | undefined): string | undefined {
  for (const [n, item] of items.entries()) {
    const difference = differ(item, n);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
