import { murmur3 } from './murmur3.js';

/** Points of one worker of capacity 1: loads then differ by about 1/√128, 9 %. */
const POINTS_PER_CAPACITY = 128;
/** From here on more capacity gives no greater share: a worker's points may depend on nothing but the worker. */
const MAX_POINTS = 8_192;
/** A point is hash · 2^21 + owner, a whole number below 2^53: sorting numbers sorts by hash, then by owner. */
const MAX_OWNERS = 2 ** 21;
/** None of the seeds of points: a key that is also a node's name does not fall on its points. */
const KEY_SEED = 0x5ca1ab1e;

/** An owner's points on the ring, without the owner: they follow from its name and weight alone. */
export function pointsOf(name: string, weight: number): readonly number[] {
  const count = Math.min(MAX_POINTS, Math.max(1, Math.round(weight * POINTS_PER_CAPACITY)));
  const points: number[] = [];
  for (let seed = 0; seed < count; seed += 1) points.push(murmur3(name, seed));
  return points;
}

export function hashOfKey(key: string): number {
  return murmur3(key, KEY_SEED);
}

/** A circle of hashes; a key belongs to the first point at or after its own hash. */
export class HashRing {
  readonly #points: Float64Array;

  /** `owners` holds pairs of a number below 2^21 and the points of that owner. */
  constructor(owners: readonly (readonly [owner: number, points: readonly number[]])[]) {
    this.#points = new Float64Array(owners.reduce((sum, [, points]) => sum + points.length, 0));
    let count = 0;
    for (const [owner, points] of owners) {
      for (const hash of points) {
        this.#points[count] = hash * MAX_OWNERS + owner;
        count += 1;
      }
    }
    this.#points.sort();
  }

  /** The owner of a key by its hash; undefined on an empty ring. */
  ownerOf(hash: number): number | undefined {
    const points = this.#points;
    const from = hash * MAX_OWNERS;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((points[middle] ?? 0) < from) low = middle + 1;
      else high = middle;
    }
    const point = points[low === points.length ? 0 : low];
    return point === undefined ? undefined : point % MAX_OWNERS;
  }
}
