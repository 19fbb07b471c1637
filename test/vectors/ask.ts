import { type Converters, createConverters, createTransforms } from '@sluice/runtime';
import type { ConnectRecord, ConnectValue, SchemaAndValue } from '@sluice/sdk';
import { recordDifference, schemaDifference, valueDifference } from './compare.js';
import {
  type BytesNotation,
  type Notation,
  readBytes,
  readRecord,
  readSchema,
  readValue,
  type RecordNotation,
  type ValueNotation,
} from './notation.js';

/** What Kafka Connect answered: one of these is there, or `schema` and `value`. */
export interface Answer extends Partial<ValueNotation> {
  /** The parts of the record that differ from the input's. */
  readonly record?: RecordNotation;
  readonly dropped?: true;
  readonly test?: boolean;
  readonly bytes?: BytesNotation;
  readonly error?: { readonly at: 'configure' | 'apply'; readonly class: string; readonly message: string };
}

/** A line of a file of vectors: what a class was asked, and its answer. */
export interface Vector {
  readonly id: string;
  readonly class: string;
  readonly config: Readonly<Record<string, string>>;
  /** For a transform or a predicate. */
  readonly record?: RecordNotation;
  /** For a converter: bytes to read, or a value to write, of a record's value or of a header. */
  readonly bytes?: BytesNotation;
  readonly headerBytes?: BytesNotation;
  readonly schema?: Notation;
  readonly value?: Notation;
  readonly header?: ValueNotation;
  readonly expect: Answer;
}

/** Its vectors have the transforms of a connector's whole configuration. */
export const CHAINS = 'org.apache.kafka.connect.runtime.ConnectorConfig';
const PREDICATE = /\.predicates\./;
const TOPIC = 'orders';

/** Asks ours the same and returns how its answer differs, or undefined. Of errors the moment counts, not the words. */
export function differenceOf(vector: Vector): string | undefined {
  const { at } = vector.expect.error ?? {};
  let ask: () => string | undefined;
  try {
    ask = vector.record === undefined ? askConverter(vector) : askTransform(vector, vector.record);
  } catch (error) {
    return at === 'configure' ? undefined : `it refused the settings: ${(error as Error).message}`;
  }
  if (at === 'configure') return `it took settings that are wrong: ${vector.expect.error?.message}`;
  let difference: string | undefined;
  try {
    difference = ask();
  } catch (error) {
    return at === 'apply' ? undefined : `it failed: ${(error as Error).message}`;
  }
  return at === 'apply' ? `it did not fail with: ${vector.expect.error?.message}` : difference;
}

function askTransform({ class: className, config, expect }: Vector, input: RecordNotation): () => string | undefined {
  const isPredicate = PREDICATE.test(className);
  const chain = createTransforms(chainConfig(className, config, isPredicate));
  const record = readRecord(input);
  return () => {
    const outcome = chain.apply(record);
    if (outcome instanceof Error) throw outcome;
    const isDropped = outcome === undefined;
    if (isPredicate) return isDropped === expect.test ? undefined : `it is ${isDropped}, and must be ${expect.test}`;
    if (isDropped || expect.dropped === true) return isDropped === expect.dropped ? undefined : 'one of the two drops the record';
    return recordDifference(expectedRecord(input, expect), outcome);
  };
}

function chainConfig(className: string, config: Vector['config'], isPredicate: boolean): Vector['config'] {
  if (className === CHAINS) return config;
  if (!isPredicate) return { transforms: 't', ...prefixed('transforms.t', className, config) };
  // A filter drops exactly the records that the predicate is true for.
  const filter = { transforms: 't', 'transforms.t.type': 'Filter', 'transforms.t.predicate': 'p' };
  return { ...filter, predicates: 'p', ...prefixed('predicates.p', className, config) };
}

function expectedRecord(input: RecordNotation, { record = {} }: Answer): ConnectRecord {
  return readRecord({ ...input, ...record });
}

function askConverter(vector: Vector): () => string | undefined {
  const { class: className, config, expect } = vector;
  const part: keyof Converters = vector.header === undefined && vector.headerBytes === undefined ? 'value' : 'header';
  const settings = Object.fromEntries(Object.entries(config).map(([name, value]) => [`${part}.converter.${name}`, value]));
  const converter = createConverters({ [`${part}.converter`]: className, ...settings })[part];
  const incoming = vector.headerBytes === undefined ? vector.bytes : vector.headerBytes;
  if (incoming !== undefined) {
    const bytes = readBytes(incoming);
    return () => answerDifference(expect, converter.fromBytes(bytes, TOPIC));
  }
  const outgoing = vector.header ?? { schema: vector.schema ?? null, value: vector.value ?? null };
  const schema = readSchema(outgoing.schema);
  const value: ConnectValue = readValue(outgoing.value, schema);
  const normal = className.endsWith('.JsonConverter') ? normalJson : undefined;
  return () => bytesDifference(readBytes(expect.bytes ?? null), converter.toBytes(value, schema, TOPIC), normal);
}

function answerDifference(expect: Answer, { value, schema }: SchemaAndValue): string | undefined {
  const expected = readSchema(expect.schema);
  return (
    schemaDifference(expected, schema, 'schema') ?? valueDifference(readValue(expect.value ?? null, expected), value, expected, 'value')
  );
}

function bytesDifference(expected: Buffer | null, given: Uint8Array | null, normal: (json: string) => string = String): string | undefined {
  const [left, right] = [expected, given].map((bytes) => (bytes === null ? 'null' : normal(Buffer.from(bytes).toString('latin1'))));
  return left === right && (expected === null) === (given === null) ? undefined : `the bytes must be ${left}, and are ${right}`;
}

/** Spells doubles and texts as JavaScript does. A number such as `1.50` stands for a decimal, and keeps its digits. */
function normalJson(latin1: string): string {
  const json = Buffer.from(latin1, 'latin1').toString('utf8');
  return json.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+\.0(?![\dE])|-?\d+\.\d+E-?\d+/gs, (token) => {
    const value = JSON.parse(token) as string | number;
    return Object.is(value, -0) ? '-0' : typeof value === 'string' ? JSON.stringify(value) : String(value);
  });
}

function prefixed(prefix: string, className: string, config: Vector['config']): Record<string, string> {
  const settings = Object.entries(config).map(([name, value]) => [`${prefix}.${name}`, value]);
  return { [`${prefix}.type`]: className, ...(Object.fromEntries(settings) as Record<string, string>) };
}
