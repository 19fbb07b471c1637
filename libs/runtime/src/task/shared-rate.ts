/** What may be taken in a second; `undefined` as much as there is. */
export interface RateLimits {
  readonly records: number | undefined;
  readonly bytes: number | undefined;
}

/** For how long is saved up while nothing is taken, in milliseconds: a stream that resumes is followed by no long burst. */
const FILL_MS = 100;

/** Times are kept in sixteenths of a nanosecond: so no rate of bytes is rounded to another one. */
const TICKS_PER_MS = 16_000_000;
/** Limits are kept as whole numbers per 1,000 seconds: parts of small limits are below one per second. */
const KEPT_PER = 1000;

/** The limits first, then when what was taken of each is paid; and what says that there is a limit. */
const Cell = { limits: 0, paid: 2 } as const;
const CELLS = 4;
const CELLS_BYTES = CELLS * BigInt64Array.BYTES_PER_ELEMENT;

/** Long before any time: so much is saved up at first as ever may be. */
const NEVER = -(2n ** 62n);

const UNITS = ['records', 'bytes'] as const;

/**
 * Grants records and bytes at rates that tasks share, also those of other threads: each takes what the others leave. What is taken at once may exceed
 * what is there. The next amount then waits until the debt is paid, whoever takes it. One thread sets the limits.
 *
 * A limit is one number in shared memory: the time when what was taken is paid. Threads move it on with compare-and-exchange, so no thread that
 * ends in between holds up another.
 */
export class SharedRate {
  readonly #cells: BigInt64Array;
  readonly #isLimited: Int32Array;

  /** @param nowMs monotonic, with one origin in all threads that share the memory */
  constructor(
    readonly nowMs: () => number,
    readonly memory: SharedArrayBuffer = newMemory(),
  ) {
    this.#cells = new BigInt64Array(memory, 0, CELLS);
    this.#isLimited = new Int32Array(memory, CELLS_BYTES, 1);
  }

  get isLimited(): boolean {
    return Atomics.load(this.#isLimited, 0) === 1;
  }

  get limits(): RateLimits {
    const [records, bytes] = UNITS.map((_, unit) => this.#limitOf(unit) / KEPT_PER);
    return { records: records === 0 ? undefined : records, bytes: bytes === 0 ? undefined : bytes };
  }

  /** Limits what is taken from now on. A debt stays the same amount. */
  set(limits: RateLimits): void {
    for (const [unit, name] of UNITS.entries()) {
      const limit = limits[name];
      const kept = limit === undefined ? 0 : Math.max(1, Math.floor(limit * KEPT_PER));
      const before = this.#limitOf(unit);
      if (kept === before) continue;
      Atomics.store(this.#cells, Cell.limits + unit, BigInt(kept));
      const now = this.#now();
      // What has no limit owes nothing.
      const owed = (ticks: number): bigint => (kept === 0 ? 0n : BigInt(Math.ceil((ticks * before) / kept)));
      this.#movePaid(unit, (paid) => (paid <= now ? paid : now + owed(Number(paid - now))));
    }
    const isLimited = limits.records !== undefined || limits.bytes !== undefined;
    Atomics.store(this.#isLimited, 0, isLimited ? 1 : 0);
  }

  /** Returns after how many milliseconds something may be taken: 0 where it may be now. */
  waitMs(): number {
    const now = this.#now();
    let waitMs = 0;
    for (let unit = 0; unit < UNITS.length; unit++) {
      if (this.#limitOf(unit) === 0) continue;
      const debt = Number(Atomics.load(this.#cells, Cell.paid + unit) - now);
      if (debt >= 0) waitMs = Math.max(waitMs, 1, Math.ceil(debt / TICKS_PER_MS));
    }
    return waitMs;
  }

  /** Takes one record of so many bytes; returns whether more may be taken before the next wait. */
  take(bytes: number): boolean {
    const now = this.#now();
    const mayTakeRecord = this.#spend(0, 1, now);
    return this.#spend(1, bytes, now) && mayTakeRecord;
  }

  #spend(unit: number, amount: number, now: bigint): boolean {
    const limit = this.#limitOf(unit);
    if (limit === 0) return true;
    const perUnit = (1000 * KEPT_PER * TICKS_PER_MS) / limit;
    const cost = BigInt(Math.ceil(amount * perUnit));
    const earliest = now - BigInt(Math.ceil(Math.max(FILL_MS * TICKS_PER_MS, perUnit)));
    return this.#movePaid(unit, (paid) => (paid > earliest ? paid : earliest) + cost) < now;
  }

  #movePaid(unit: number, move: (paid: bigint) => bigint): bigint {
    const cell = Cell.paid + unit;
    for (let paid = Atomics.load(this.#cells, cell); ;) {
      const next = move(paid);
      const found = Atomics.compareExchange(this.#cells, cell, paid, next);
      if (found === paid) return next;
      paid = found;
    }
  }

  #limitOf(unit: number): number {
    return Number(Atomics.load(this.#cells, Cell.limits + unit));
  }

  #now(): bigint {
    return BigInt(Math.round(this.nowMs() * TICKS_PER_MS));
  }
}

function newMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(CELLS_BYTES + Int32Array.BYTES_PER_ELEMENT);
  new BigInt64Array(memory, 0, CELLS).fill(NEVER, Cell.paid);
  return memory;
}
