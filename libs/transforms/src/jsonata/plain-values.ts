import { type ConnectValue, Decimal, isConnectArray, JsonNumber } from '@sluice/sdk';
import { type FieldsInMaking, setField } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';

/** Records come from outside: one nested without end must not end the process. */
const MAX_LEVELS = 500;
/** Beyond the exponents of doubles; a decimal written out with such a one would fill the memory. */
const MAX_SCALE = 400;

/**
 * Returns a value as JSONata works with it. Dates are texts of ISO 8601, bytes texts in base64, and maps objects with texts as keys. A number that a
 * double holds exactly is one. Any other stays as it is: it can be passed on, but not reckoned with.
 *
 * @throws ConnectError for a value that is nested too deep
 */
export function toPlain(value: ConnectValue, level = 1): unknown {
  if (typeof value === 'bigint') return BigInt(Number(value)) === value ? Number(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Decimal || value instanceof JsonNumber) return exactDouble(value) ?? value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  requireLevel(level);
  if (isConnectArray(value)) return value.map((item) => toPlain(item, level + 1));
  const entries = value instanceof Map ? value.entries() : Object.entries(value);
  const copy: Record<string, unknown> = {};
  for (const [key, item] of entries as Iterable<[ConnectValue, ConnectValue]>) {
    setField(copy as FieldsInMaking, textOf(key), toPlain(item, level + 1) as ConnectValue);
  }
  return copy;
}

/**
 * Returns a result of JSONata as a value of a record without schema.
 *
 * @throws ConnectError for a function, a number that is not finite, and a value that is nested too deep
 */
export function fromPlain(value: unknown, level = 1): ConnectValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw unfit(`the expression gave the number ${value}; allowed are finite ones`);
  }
  if (value instanceof Decimal || value instanceof JsonNumber) return value;
  requireLevel(level);
  if (Array.isArray(value)) return value.map((item) => fromPlain(item, level + 1));
  if (typeof value !== 'object' || '_jsonata_lambda' in value || '_jsonata_function' in value) {
    throw unfit('the expression gave a function; allowed are values of JSON');
  }
  const copy: FieldsInMaking = {};
  for (const [name, item] of Object.entries(value)) if (item !== undefined) setField(copy, name, fromPlain(item, level + 1));
  return copy;
}

/** Copies a value for JSONata's operator `| … |`, which changes the copy; numbers that it cannot copy itself are shared. */
export function clonePlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Decimal || value instanceof JsonNumber) return value;
  if (Array.isArray(value)) return value.map(clonePlain);
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) setField(copy as FieldsInMaking, name, clonePlain(item) as ConnectValue);
  return copy;
}

function exactDouble(value: Decimal | JsonNumber): number | undefined {
  const decimal = value instanceof Decimal ? value : Decimal.parse(value.text);
  if (Math.abs(decimal.scale) > MAX_SCALE) return undefined;
  const double = Number(decimal);
  if (!Number.isFinite(double)) return undefined;
  return decimal.compare(Decimal.parse(String(double))) === 0 ? double : undefined;
}

function textOf(key: ConnectValue): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean') return String(key);
  throw unfit('a map with keys that are neither texts, numbers nor booleans given; JSONata has none');
}

function requireLevel(level: number): void {
  if (level > MAX_LEVELS) throw unfit(`a value in more than ${MAX_LEVELS} levels given; at most ${MAX_LEVELS} are allowed`);
}
