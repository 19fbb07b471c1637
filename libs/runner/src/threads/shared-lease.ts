import { sharedNowMs, type Clock, type Lease } from '@sluice/runtime';

/** How often a task that waits for the lease looks for it, in milliseconds: nobody can wake a thread from shared memory alone. */
const LOOK_INTERVAL_MS = 50;

/** The cells of the shared memory. */
const Cell = { monotonicEndMs: 0, wallEndMs: 1, doubtfulUpTo: 2, gaps: 3 } as const;
const CELL_BYTES = BigInt64Array.BYTES_PER_ELEMENT;

/** Both clocks, in milliseconds. The monotonic one has the same origin in all threads of the process. */
export interface SharedClocks {
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
}

const systemClocks: SharedClocks = { monotonicMs: sharedNowMs, wallMs: () => Date.now() };

/** The lease of the node as its task threads read it. Only the main thread writes it, and whoever reads needs no answer of that thread. */
export class LeaseBoard {
  readonly memory = new SharedArrayBuffer(Object.keys(Cell).length * CELL_BYTES);
  readonly #cells = new BigInt64Array(this.memory);

  constructor(private readonly clocks: SharedClocks = systemClocks) {
    this.#write(Cell.doubtfulUpTo, -1);
  }

  /** Shows the lease as it is now. Doubts come first: whoever sees a new end knows of them. */
  show(lease: Pick<Lease, 'held' | 'doubtfulUpTo' | 'gaps'> & { readonly remainingMs: number }): void {
    // The clocks first: a halt between the two shortens the lease that threads see, and never lengthens it.
    const [monotonicMs, wallMs] = [this.clocks.monotonicMs(), this.clocks.wallMs()];
    const { held, remainingMs, doubtfulUpTo, gaps } = lease;
    const leftMs = held && Number.isFinite(remainingMs) ? Math.max(0, remainingMs) : 0;
    this.#write(Cell.doubtfulUpTo, doubtfulUpTo);
    this.#write(Cell.gaps, gaps);
    this.#write(Cell.monotonicEndMs, leftMs === 0 ? 0 : monotonicMs + leftMs);
    this.#write(Cell.wallEndMs, leftMs === 0 ? 0 : wallMs + leftMs);
  }

  #write(cell: number, value: number): void {
    Atomics.store(this.#cells, cell, BigInt(Math.floor(value)));
  }
}

/**
 * The lease of the node in a task thread. It ends by both clocks: the monotonic one pauses while the machine is suspended, and the wall clock may
 * be set back. It ends without a word of the main thread.
 */
export class SharedLease implements Lease {
  readonly #cells: BigInt64Array;

  constructor(
    memory: SharedArrayBuffer,
    private readonly clock: Pick<Clock, 'sleep'>,
    private readonly clocks: SharedClocks = systemClocks,
  ) {
    this.#cells = new BigInt64Array(memory);
  }

  get held(): boolean {
    return this.clocks.monotonicMs() < this.#read(Cell.monotonicEndMs) && this.clocks.wallMs() < this.#read(Cell.wallEndMs);
  }

  get doubtfulUpTo(): number {
    return this.#read(Cell.doubtfulUpTo);
  }

  get gaps(): number {
    return this.#read(Cell.gaps);
  }

  async whenHeld(signal: AbortSignal): Promise<void> {
    while (!this.held) await this.clock.sleep(LOOK_INTERVAL_MS, signal);
  }

  #read(cell: number): number {
    return Number(Atomics.load(this.#cells, cell));
  }
}
