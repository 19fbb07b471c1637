import type { Random } from '../random.js';
import type { ConnectValue, Schema } from '@sluice/sdk';

/** What the values of one record follow from. */
export interface Draw {
  /** The number of the record over all source partitions, from 0. */
  readonly index: number;
  readonly random: Random;
}

/** Makes the values of a field, or of a part of one. */
export interface ValueMaker {
  readonly schema: Schema;
  /** About as many bytes as the largest value takes. */
  readonly maxBytes: number;
  readonly make: (draw: Draw) => ConnectValue;
}

/** Returns a whole number from `min` to `max`, both within reach. Their distance is a safe integer. */
export function drawBetween(min: number, max: number, draw: Draw): number {
  return min + Math.floor(drawShare(draw) * (max - min + 1));
}

/** Returns a number from 0 up to 1 with all 53 bits of a double. */
export function drawShare({ random }: Draw): number {
  return ((random.next() >>> 5) * 2 ** 26 + (random.next() >>> 6)) / 2 ** 53;
}
