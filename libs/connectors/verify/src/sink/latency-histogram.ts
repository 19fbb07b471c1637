/** Counts by bucket; plain data. The index of a bucket is its place, empty ones are left out. */
export interface LatencyState {
  readonly counts: readonly (readonly [bucket: number, count: number])[];
  readonly maxMs: number;
}

export interface LatencySummary {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Each power of two is cut into this many buckets, so a percentile is at most a sixteenth too high. */
const BUCKETS_PER_OCTAVE = 16;
const OCTAVE_BITS = 4;
/** The last bucket holds everything of at least 2^40 ms (34 years). */
const MAX_MS = 2 ** 40;

/** Durations in whole milliseconds, in buckets that grow with them: bounded memory, bounded relative error. The longest one is exact. */
export class LatencyHistogram {
  readonly #counts = new Map<number, number>();
  #maxMs = 0;

  static restore(...states: readonly LatencyState[]): LatencyHistogram {
    const histogram = new LatencyHistogram();
    for (const state of states) {
      for (const [bucket, count] of state.counts) {
        histogram.#counts.set(bucket, (histogram.#counts.get(bucket) ?? 0) + count);
      }
      histogram.#maxMs = Math.max(histogram.#maxMs, state.maxMs);
    }
    return histogram;
  }

  get state(): LatencyState {
    return { counts: [...this.#counts], maxMs: this.#maxMs };
  }

  /** Adds a latency. Clocks of two hosts may differ: a value below 0 is treated as 0. */
  add(ms: number): void {
    const whole = Math.max(0, Math.floor(ms));
    const bucket = bucketOf(Math.min(whole, MAX_MS));
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#maxMs = Math.max(this.#maxMs, whole);
  }

  /** `undefined` when nothing was counted. */
  get summary(): LatencySummary | undefined {
    if (this.#counts.size === 0) return undefined;
    return { p50: this.#percentile(0.5), p99: this.#percentile(0.99), max: this.#maxMs };
  }

  /** The highest value of the bucket that the percentile lies in, at most the highest of all. */
  #percentile(share: number): number {
    const sorted = [...this.#counts].sort(([left], [right]) => left - right);
    const total = sorted.reduce((sum, [, count]) => sum + count, 0);
    let seen = 0;
    for (const [bucket, count] of sorted) {
      seen += count;
      if (seen >= total * share) return Math.min(highestOf(bucket), this.#maxMs);
    }
    return this.#maxMs;
  }
}

/** Finds the bucket of a value. Up to 32 a bucket holds one value; above, the leading bits of the value select it. */
function bucketOf(ms: number): number {
  if (ms < BUCKETS_PER_OCTAVE) return ms;
  // Bits of a whole number below 2^32 are counted ten times as fast as logarithms are taken.
  const shift = (ms < 2 ** 32 ? 31 - Math.clz32(ms) : Math.floor(Math.log2(ms))) - OCTAVE_BITS;
  return shift * BUCKETS_PER_OCTAVE + Math.floor(ms / 2 ** shift);
}

function highestOf(bucket: number): number {
  if (bucket < 2 * BUCKETS_PER_OCTAVE) return bucket;
  const shift = Math.floor(bucket / BUCKETS_PER_OCTAVE) - 1;
  return (bucket - shift * BUCKETS_PER_OCTAVE + 1) * 2 ** shift - 1;
}
