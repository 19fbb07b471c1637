import { Decimal, JsonNumber, type JsonValue, type ConnectValue, plainJson, type Schema, SchemaBuilder, schemas } from '@sluice/sdk';
import { SchemaProblem } from './schema-problem.js';

const DAY_MS = 86_400_000;
/** JavaScript has no dates beyond it. */
const MAX_DATE_MS = 8.64e15;

/**
 * Values that are counted in whole units: integers, the digits of a decimal, days or milliseconds. Ranges and sequences are computed in units,
 * so that both are exact for every such type.
 */
export interface Quantity {
  readonly schema: Schema;
  /** The units that the type can hold, as far as whole doubles are exact. */
  readonly limits: readonly [min: number, max: number];
  /** The units of values whose field names no range. */
  readonly usual: readonly [min: number, max: number];
  readonly toValue: (units: number) => ConnectValue;
  /** What a bound in the schema may be, for errors. */
  readonly allowed: string;
  /** Returns the units that a bound in the schema means; `undefined` for what is none. */
  readonly unitsOf: (given: JsonValue) => number | undefined;
}

const MAX_UNITS = Number.MAX_SAFE_INTEGER;
const wholeOf = (given: JsonValue): number | undefined => (typeof given === 'number' && Number.isSafeInteger(given) ? given : undefined);
const asNumber = (units: number): ConnectValue => units;

function ofBits(schema: Schema, bits: number): Quantity {
  const limits = [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] as const;
  return { schema, limits, usual: limits, toValue: asNumber, allowed: 'a whole number', unitsOf: wholeOf };
}

/** A text such as `2026-05-01`, or the number that Kafka Connect has for it. */
function ofTime(schema: Schema, unitMs: number, text: RegExp, sides: Pick<Quantity, 'limits' | 'usual' | 'allowed'>): Quantity {
  return {
    ...sides,
    schema,
    toValue: (units) => new Date(units * unitMs),
    unitsOf: (given) => {
      if (typeof given !== 'string') return wholeOf(given);
      if (!text.test(given)) return undefined;
      const moment = /^\d\d:/.test(given) ? `1970-01-01T${given}Z` : given;
      const ms = Date.parse(moment);
      // Some days that no month has are parsed as days of the next one.
      return Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(moment.slice(0, 10)) ? undefined : ms / unitMs;
    },
  };
}

const USUAL_MS = [Date.UTC(2020, 0, 1), Date.UTC(2030, 0, 1) - 1] as const;

/** The types whose values are counted in units, but for decimals, which need a scale. */
export const QUANTITIES: Readonly<Record<string, Quantity>> = {
  int8: ofBits(schemas.int8, 8),
  int16: ofBits(schemas.int16, 16),
  int32: ofBits(schemas.int32, 32),
  int64: {
    ...ofBits(schemas.int64, 54),
    limits: [-MAX_UNITS, MAX_UNITS],
    usual: [0, MAX_UNITS - 1],
    toValue: BigInt,
    allowed: 'a whole number within 2^53',
  },
  date: ofTime(schemas.date, DAY_MS, /^\d{4}-\d\d-\d\d$/, {
    limits: [-MAX_DATE_MS / DAY_MS, MAX_DATE_MS / DAY_MS],
    usual: [Math.floor(USUAL_MS[0] / DAY_MS), Math.floor(USUAL_MS[1] / DAY_MS)],
    allowed: 'a day such as "2026-05-01", or days since the epoch',
  }),
  time: ofTime(schemas.time, 1, /^\d\d:\d\d:\d\d(\.\d{1,3})?$/, {
    limits: [0, DAY_MS - 1],
    usual: [0, DAY_MS - 1],
    allowed: 'a time such as "08:30:00", or milliseconds since midnight',
  }),
  timestamp: ofTime(schemas.timestamp, 1, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/, {
    limits: [-MAX_DATE_MS, MAX_DATE_MS],
    usual: USUAL_MS,
    allowed: 'a moment in UTC such as "2026-05-01T08:30:00Z", or milliseconds since the epoch',
  }),
};

const MAX_SCALE = 15;

/** @throws {SchemaProblem} for a scale that leaves no room for the digits before the point */
export function decimalQuantity(scale: JsonValue | undefined, path: string): Quantity {
  const digits = typeof scale === 'string' && /^\d+$/.test(scale) ? Number(scale) : scale;
  if (typeof digits !== 'number' || !Number.isInteger(digits) || digits < 0 || digits > MAX_SCALE) {
    throw new SchemaProblem(path, shown(scale), `a decimal needs its digits after the point, 0 to ${MAX_SCALE}`);
  }
  return {
    schema: SchemaBuilder.decimal(digits).build(),
    limits: [-MAX_UNITS, MAX_UNITS],
    usual: [0, Math.min(MAX_UNITS, 10 ** (digits + 3) - 1)],
    toValue: (units) => new Decimal(BigInt(units), digits),
    allowed: `a number with at most ${digits} digits after the point, and 15 digits in all`,
    unitsOf: (given) => decimalUnits(given, digits),
  };
}

function decimalUnits(given: JsonValue, scale: number): number | undefined {
  if (typeof given !== 'number' && typeof given !== 'string' && !(given instanceof JsonNumber)) return undefined;
  try {
    const text = given instanceof JsonNumber ? given.text : String(given);
    const units = Number(Decimal.parse(text).withScale(scale).unscaled);
    return Number.isSafeInteger(units) ? units : undefined;
  } catch {
    return undefined;
  }
}

/** How a part of a schema is shown in an error: its JSON, cut to what a line holds. */
export function shown(given: JsonValue | undefined): string {
  if (given === undefined) return 'nothing';
  const text = plainJson(given);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
