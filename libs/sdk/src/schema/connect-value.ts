import type { JsonNumber } from '../json/json-number.js';
import type { Decimal } from './decimal.js';

/**
 * A value that a converter can turn into bytes and back. Each type of schema has one form:
 *
 * - int8, int16, int32, float32, float64: `number`; int64: `bigint`
 * - boolean, string: `boolean`, `string`; bytes: `Uint8Array`
 * - array: an array; struct: a plain object
 * - map: a plain object where the keys are strings, a `Map` where they are anything else
 * - Decimal: {@link Decimal}; Date, Time, Timestamp: `Date`
 *
 * Values without a schema may also hold a {@link JsonNumber}: a number of a JSON text that a double would change.
 */
export type ConnectValue =
  | null
  | boolean
  | number
  | bigint
  | JsonNumber
  | Decimal
  | string
  | Uint8Array
  | Date
  | readonly ConnectValue[]
  | ReadonlyMap<ConnectValue, ConnectValue>
  | ConnectObject;

/** A struct, or a map whose keys are strings. */
export interface ConnectObject {
  readonly [field: string]: ConnectValue;
}
