import { type ConnectValue, Decimal, isConnectArray, JsonNumber } from '@sluice/sdk';
import { type FieldsInMaking, setField } from '../fields/structured-value.js';
import { unfit } from '../fields/transform-error.js';

/** Records come from outside: one nested without end must not end the process. */
const MAX_LEVELS = 500;
/** Beyond the exponents of doubles; a decimal written out with such a one would fill the memory. */
const MAX_SCALE = 400;
/** Values of a result. One that an expression holds in many places is written out in each. */
const MAX_VALUES = 1_000_000;
const VALUES_PER_LOOK = 1024;

/** What one result may take: time, and values. */
export class PlainBudget {
  #left = MAX_VALUES;
  readonly #endsAt: number;

  constructor(private readonly timeoutMs: number) {
    this.#endsAt = performance.now() + timeoutMs;
  }

  /** @throws ConnectError where the time or the values are used up */
  take(): void {
    this.#left -= 1;
    if (this.#left < 0) throw unfit(`the expression gave more than ${MAX_VALUES} values; at most so many are allowed`);
    if (this.#left % VALUES_PER_LOOK === 0 && performance.now() > this.#endsAt) throw tooLong(this.timeoutMs);
  }
}

/** A number that a double does not hold, on its way through an expression. */
class ExactNumber {
  constructor(readonly number: bigint | Decimal | JsonNumber) {}

  /** JSONata writes texts by JSON, which would show the inside. */
  toJSON(): never {
    throw unfit('a number that a double does not hold cannot be made a text by the expression');
  }
}

export function tooLong(timeoutMs: number): Error {
  return unfit(`the expression took longer than the ${timeoutMs} ms of timeout.ms`);
}

/**
 * Returns a value as JSONata works with it. Dates are texts of ISO 8601, bytes texts in base64, and maps objects with texts as keys. A number that a
 * double holds exactly is one. Any other can be passed on, but not reckoned with
 * or made a text.
 *
 * @throws ConnectError for a value that is nested too deep
 */
export function toPlain(value: ConnectValue, level = 1): unknown {
  if (typeof value === 'bigint') return BigInt(Number(value)) === value ? Number(value) : new ExactNumber(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Decimal || value instanceof JsonNumber) return exactDouble(value) ?? new ExactNumber(value);
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
 * @throws ConnectError for a function, a number that is not finite, a value that is nested too deep, and more than the budget allows
 */
export function fromPlain(value: unknown, budget: PlainBudget, level = 1): ConnectValue {
  budget.take();
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    throw unfit(`the expression gave the number ${value}; allowed are finite ones`);
  }
  if (value instanceof ExactNumber) return value.number;
  requireLevel(level);
  if (Array.isArray(value)) return value.map((item) => fromPlain(item, budget, level + 1));
  if (typeof value !== 'object' || '_jsonata_lambda' in value || '_jsonata_function' in value) {
    throw unfit('the expression gave a function; allowed are values of JSON');
  }
  const copy: FieldsInMaking = {};
  for (const [name, item] of Object.entries(value)) if (item !== undefined) setField(copy, name, fromPlain(item, budget, level + 1));
  return copy;
}

/** Copies a value for JSONata's operator `| … |`, which changes the copy; numbers that it cannot copy itself are shared. */
export function clonePlain(value: unknown, budget: PlainBudget): unknown {
  budget.take();
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value;
  if (Array.isArray(value)) return value.map((item) => clonePlain(item, budget));
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) setField(copy as FieldsInMaking, name, clonePlain(item, budget) as ConnectValue);
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
