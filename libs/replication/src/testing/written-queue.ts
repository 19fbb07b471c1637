import fc from 'fast-check';
import type { QueueBounds, QueueEntries } from '../offsets/copy-index.js';
import type { QueueEntry } from '../offsets/queue-entry.js';

/** What happens to a target queue. */
export type QueueEvent =
  | { readonly kind: 'copies'; readonly count: number }
  /** Messages that the flow passes over. */
  | { readonly kind: 'gap'; readonly count: number }
  | { readonly kind: 'others'; readonly count: number }
  /**
   * A batch is sent and its fate is unknown. A successor writes a barrier, and `isPrompt` has the batch stored right behind it. Then it is sent again.
   */
  | { readonly kind: 'doubt'; readonly count: number; readonly successor: boolean; readonly isPrompt?: boolean }
  /** The batches of unknown fate are stored after all. */
  | { readonly kind: 'late' }
  /** Another owner after a clean end. */
  | { readonly kind: 'handed-over' }
  | { readonly kind: 'retention'; readonly count: number }
  | { readonly kind: 'look'; readonly maxReads: number };

const count = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.integer({ min: 1, max: 90 }));

export const queueEvents: fc.Arbitrary<QueueEvent[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('copies' as const), count }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('gap' as const), count }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('others' as const), count }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('doubt' as const), count, successor: fc.boolean(), isPrompt: fc.boolean() }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'late' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'handed-over' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('retention' as const), count }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('look' as const), maxReads: fc.integer({ min: 1, max: 6 }) }) },
  ),
  { maxLength: 40 },
);

type Copy = Extract<QueueEntry, { kind: 'copy' }>;

/** A target queue as a flow and others write it, by the rules of the engine. */
export class WrittenQueue implements QueueEntries {
  readonly entries: QueueEntry[] = [];
  reads = 0;
  #min = 0;
  #generation = 1;
  #seq = 0;
  #next: number;
  #late: Copy[][] = [];

  constructor(firstSourceOffset = 0) {
    this.#next = firstSourceOffset;
  }

  get bounds(): QueueBounds {
    return { min: this.#min, max: this.entries.length };
  }

  /** Where the source queue continues behind what was copied. */
  get sourceNext(): number {
    return this.#next;
  }

  read(offset: number, wanted: number): Promise<readonly QueueEntry[]> {
    this.reads += 1;
    const from = Math.max(offset, this.#min);
    return Promise.resolve(this.entries.slice(from, from + wanted));
  }

  happen(event: QueueEvent): void {
    switch (event.kind) {
      case 'copies':
        for (let i = 0; i < event.count; i += 1) this.#store(this.#nextCopy());
        break;
      case 'gap':
        this.#next += event.count;
        break;
      case 'others':
        for (let i = 0; i < event.count; i += 1) this.#store({ kind: 'other', ...this.#place });
        break;
      case 'doubt':
        this.#doubt(event);
        break;
      case 'late':
        for (const copy of this.#late.shift() ?? []) this.#store(copy);
        break;
      case 'handed-over':
        this.#generation += 1;
        break;
      case 'retention':
        this.#min = Math.min(this.entries.length, this.#min + event.count);
        break;
      case 'look':
        break;
    }
  }

  get #place(): { readonly offset: number; readonly storedAt: number } {
    return { offset: this.entries.length, storedAt: 1_000 + this.entries.length };
  }

  #doubt({ count: size, successor, isPrompt = false }: Extract<QueueEvent, { kind: 'doubt' }>): void {
    const batch = Array.from({ length: size }, () => this.#nextCopy());
    this.#late.push(batch);
    if (successor) {
      this.#generation += 1;
      this.#store({ kind: 'barrier', ...this.#place, task: 'task', generation: this.#generation });
      if (isPrompt) for (const copy of this.#late.pop() ?? []) this.#store(copy);
    }
    for (const copy of batch) this.#store({ ...copy, generation: this.#generation });
  }

  #nextCopy(): Copy {
    this.#seq += 1;
    this.#next += 1;
    return { kind: 'copy', ...this.#place, task: 'task', generation: this.#generation, seq: this.#seq, next: this.#next };
  }

  #store(entry: QueueEntry): void {
    this.entries.push({ ...entry, ...this.#place });
  }

  /** The copies that readers accept, by reading all. */
  validCopies(): Copy[] {
    let [generation, seq] = [0, 0];
    const valid: Copy[] = [];
    for (const entry of this.entries) {
      if (entry.kind === 'barrier') {
        if (entry.generation > generation) [generation, seq] = [entry.generation, 0];
      } else if (entry.kind === 'copy') {
        if (entry.generation < generation || (entry.generation === generation && entry.seq <= seq)) continue;
        [generation, seq] = [entry.generation, entry.seq];
        valid.push(entry);
      }
    }
    return valid.filter(({ offset }) => offset >= this.#min);
  }

  others(): number[] {
    return this.entries.flatMap(({ kind, offset }) => (kind === 'other' && offset >= this.#min ? [offset] : []));
  }
}
