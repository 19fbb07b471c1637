import { MalformedDataError } from '../errors.js';
import { parseTolerantJson, type TolerantMap, type TolerantValue } from './tolerant-json.js';

/** Reads fields of a server's answer; a field of the wrong kind is a MalformedDataError that names it. */

export function readBodyMap(body: Buffer, what: string): TolerantMap {
  return asMap(parseTolerantJson(body.toString('utf8')), what);
}

export function asMap(value: TolerantValue | undefined, what: string): TolerantMap {
  if (value instanceof Map) return value;
  throw new MalformedDataError('server answer', `${what} is not an object`);
}

/** A missing or null field is an empty object. */
export function readMap(map: TolerantMap, field: string): TolerantMap {
  const value = map.get(field);
  return value === undefined || value === null ? new Map() : asMap(value, `'${field}'`);
}

/** A missing or null field is an empty list. */
export function readList(map: TolerantMap, field: string): readonly TolerantValue[] {
  const value = map.get(field);
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value as readonly TolerantValue[];
  throw new MalformedDataError('server answer', `'${field}' is not a list`);
}

export function readText(map: TolerantMap, field: string): string {
  const value = map.get(field);
  if (typeof value === 'string') return value;
  throw new MalformedDataError('server answer', `'${field}' is not a string`);
}

/** A missing or null field is `fallback`; without one it is an error. Integers beyond 2^53 are rounded. */
export function readNumber(map: TolerantMap, field: string, fallback?: number): number {
  const value = map.get(field);
  if (fallback !== undefined && (value === undefined || value === null)) return fallback;
  return asNumber(value, `'${field}'`);
}

export function asNumber(value: TolerantValue | undefined, what: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw new MalformedDataError('server answer', `${what} is not a number`);
}

export function readBoolean(map: TolerantMap, field: string, fallback: boolean): boolean {
  const value = map.get(field);
  return typeof value === 'boolean' ? value : fallback;
}

/** Returns an offset in a reply's header: a safe integer. */
export function readExtInteger(ext: Readonly<Record<string, string>>, field: string): number {
  const value = Number(ext[field]);
  if (ext[field] !== undefined && Number.isSafeInteger(value)) return value;
  throw new MalformedDataError('reply header', `'${field}' is ${ext[field] ?? 'missing'}, expected a safe integer`);
}
