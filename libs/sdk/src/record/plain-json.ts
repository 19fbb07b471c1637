import { ConnectError, ConnectErrorCode } from '../errors/connect-error.js';
import { JsonNumber } from '../json/json-number.js';
import type { ConnectObject, ConnectValue } from '../schema/connect-value.js';
import { Decimal } from '../schema/decimal.js';
import { isConnectArray } from '../schema/value-parts.js';

export interface PlainJsonOptions {
  /** How a date is written: `ms`, the default, as milliseconds since the epoch, `iso` as text. */
  readonly dates?: 'ms' | 'iso';
  /** What the value is called in errors, `payload` by default. */
  readonly path?: string;
}

/**
 * Writes a value as JSON with all its digits; bytes are base64, decimals numbers, maps whose keys are not all strings lists of pairs.
 *
 * @throws ConnectError with code `CONNECT_CONVERSION_FAILED` and the path of what JSON cannot hold
 */
export function plainJson(value: ConnectValue | undefined, { dates = 'ms', path = 'payload' }: PlainJsonOptions = {}): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
    throw refusal(path, `${value} given; JSON allows finite numbers`);
  }
  if (typeof value !== 'object') throw refusal(path, `a ${typeof value} cannot be written as JSON`);
  if (value instanceof JsonNumber) return value.text;
  if (value instanceof Decimal) return value.toString();
  if (value instanceof Uint8Array) return `"${base64(value)}"`;
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refusal(path, 'the date is invalid');
    return dates === 'iso' ? `"${value.toISOString()}"` : String(value.getTime());
  }
  if (isConnectArray(value)) {
    return `[${value.map((item, n) => plainJson(item, { dates, path: `${path}[${n}]` })).join(',')}]`;
  }
  if (value instanceof Map) return mapJson(value as ReadonlyMap<ConnectValue, ConnectValue>, { dates, path });
  if (value instanceof Set) throw refusal(path, 'a value of class Set is no object with fields');
  const parts: string[] = [];
  for (const [name, item] of Object.entries<ConnectValue | undefined>(value as ConnectObject)) {
    if (item !== undefined) parts.push(`${JSON.stringify(name)}:${plainJson(item, { dates, path: `${path}.${name}` })}`);
  }
  return `{${parts.join(',')}}`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Writes an object where all keys are strings, else a list of pairs, as Kafka Connect does. */
function mapJson(map: ReadonlyMap<ConnectValue, ConnectValue>, options: Required<PlainJsonOptions>): string {
  const { path } = options;
  const entries = [...map];
  if (entries.every(([key]) => typeof key === 'string')) return plainJson(Object.fromEntries(entries) as ConnectObject, options);
  const pairs = entries.map(([key, value], n) => {
    const at = { ...options, path: `${path}[${n}]` };
    return `[${plainJson(key, at)},${plainJson(value, at)}]`;
  });
  return `[${pairs.join(',')}]`;
}

function refusal(path: string, reason: string): ConnectError {
  return new ConnectError(ConnectErrorCode.conversionFailed, `${path}: ${reason}`);
}
