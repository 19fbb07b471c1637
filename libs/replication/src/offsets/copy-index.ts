import type { CopiedEntry, QueueEntry } from './queue-entry.js';

/** Reads a target queue. */
export interface QueueEntries {
  /**
   * Returns entries in their order from the first one at or behind `offset`, at most `count` of them and perhaps fewer. None: the queue has nothing
   * there. Offsets are left out where retention or compaction has removed messages.
   */
  read(offset: number, count: number): Promise<readonly QueueEntry[]>;
}

/** What the queue holds, as its broker says: offsets from `min` up to, not including, `max`. */
export interface QueueBounds {
  readonly min: number;
  readonly max: number;
}

export interface CopyIndexLimits {
  /** Stretches that are kept; beyond it the oldest tenth is forgotten. Copies alone, without gaps, are one stretch. */
  readonly maxStretches: number;
  /** Entries of one read. */
  readonly readCount: number;
}

const DEFAULT_LIMITS: CopyIndexLimits = { maxStretches: 16_384, readCount: 32 };
/** Owners that barriers of one queue are remembered of. */
const MAX_TASKS = 64;
const NOTHING_FORGOTTEN = { end: 0, next: 0 };

/** Offsets from `start` up to, not including, `end`. */
interface Stretch {
  start: number;
  end: number;
}

/** Copies of which each is one seq and one source offset behind the one before. */
interface CopyStretch extends Stretch {
  readonly generation: number;
  /** Of the copy at `start`. */
  readonly seq: number;
  /** Of the copy at `start`, see `CopiedEntry`. */
  readonly next: number;
}

/**
 * Knows where a target queue holds the copies of one source queue, and where other messages stand between them.
 *
 * A stretch of copies is found by few single reads. Its seqs, source offsets and target offsets grow by one per message together. A record is sent once
 * all before it are stored. Take two copies of one generation that are as far apart in all three. Each message between them is a copy that follows the
 * one before. That is true of all that lies before such a copy and of nothing behind another one, which is what a binary search needs. Other messages are
 * read one by one.
 *
 * Copies that readers drop (ADR 3) are passed over: those of an older generation behind a newer one or its barrier, and repeated seqs. Where the source
 * offsets themselves go back, the topic was created again: all copies before are other messages then.
 *
 * One thing escapes it: a record that the broker refused for good leaves a hole in the seqs and source offsets. Another message that takes exactly that
 * place, in a stretch that nobody looks into, is not seen.
 */
export class CopyIndex {
  readonly #limits: CopyIndexLimits;
  #copies: CopyStretch[] = [];
  #others: Stretch[] = [];
  readonly #barriers = new Map<string, number>();
  /** The newest copy that readers accept. */
  #newest: { readonly generation: number; readonly seq: number; readonly next: number } | undefined;
  #last: QueueEntry | undefined;
  #from = 0;
  #end = 0;
  #expiredNext = 0;
  #forgotten = NOTHING_FORGOTTEN;

  constructor(limits: Partial<CopyIndexLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** The first offset that is known. */
  get from(): number {
    return this.#from;
  }

  /** The end of what is known. */
  get end(): number {
    return this.#end;
  }

  /** Where the source queue continues behind the last copy; undefined without any. */
  get copiedNext(): number | undefined {
    return this.#newest?.next;
  }

  /**
   * What is no longer known for lack of room, although it may be in the queue: the target offsets up to `end`. `next` is where the source queue continues
   * behind the last copy before it. Both are 0 where nothing is forgotten.
   */
  get forgotten(): { readonly end: number; readonly next: number } {
    return this.#forgotten;
  }

  /** Where the source queue continues behind the last copy that retention was seen to remove from the target; 0 without any. */
  get expiredNext(): number {
    return this.#expiredNext;
  }

  /** Returns the offset of the first copy behind which the source queue continues beyond `sourceOffset`; undefined where no copy does. */
  firstCopyBeyond(sourceOffset: number): number | undefined {
    const stretch = this.#copies[firstIndex(this.#copies, (copies) => nextAt(copies, copies.end - 1) > sourceOffset)];
    return stretch === undefined ? undefined : Math.max(stretch.start, stretch.start + sourceOffset + 1 - stretch.next);
  }

  /** Returns the offset behind the last copy; undefined without any. */
  get copiesEnd(): number | undefined {
    return this.#copies.at(-1)?.end;
  }

  /** Returns where the source queue continues behind the last copy before `offset`; undefined without any. */
  copiedNextBefore(offset: number): number | undefined {
    const behind = firstIndex(this.#copies, (copies) => copies.start >= offset);
    const stretch = this.#copies[behind - 1];
    return stretch === undefined ? undefined : nextAt(stretch, Math.min(stretch.end, offset) - 1);
  }

  /** Returns the first source offset, from `sourceOffset` on, that has no copy before `offset`. */
  firstNotCopied(sourceOffset: number, offset: number): number {
    const at = firstIndex(this.#copies, (copies) => nextAt(copies, copies.end - 1) > sourceOffset);
    let first = sourceOffset;
    for (let i = at; i < this.#copies.length; i += 1) {
      const copies = this.#copies[i];
      if (copies === undefined || copies.start >= offset || copies.next - 1 > first) break;
      first = Math.max(first, nextAt(copies, Math.min(copies.end, offset) - 1));
    }
    return first;
  }

  /** Returns the offset of the first other message at or behind `offset`; undefined where none is known. */
  firstOther(offset: number): number | undefined {
    const stretch = this.#others[firstIndex(this.#others, ({ end }) => end > offset)];
    return stretch === undefined ? undefined : Math.max(stretch.start, offset);
  }

  /** Counts other messages from one offset up to, not including, another one. */
  countOthers(from: number, to: number): number {
    let count = 0;
    for (let at = firstIndex(this.#others, ({ end }) => end > from); at < this.#others.length; at += 1) {
      const other = this.#others[at];
      if (other === undefined || other.start >= to) break;
      count += Math.min(other.end, to) - Math.max(other.start, from);
    }
    return count;
  }

  /**
   * Takes in what the queue has got since the last call. Begins again where the queue is another one: what was known last is not there.
   * Returns false where `maxReads` reads did not suffice; the next call resumes.
   */
  async advance(entries: QueueEntries, { min, max }: QueueBounds, maxReads: number): Promise<boolean> {
    let reads = 0;
    const read = (offset: number, count: number): Promise<readonly QueueEntry[]> => {
      reads += 1;
      return entries.read(offset, count);
    };
    if (this.#last === undefined || this.#end > max || this.#end < min) this.#restart(min);
    else {
      this.#expiredNext = this.copiedNextBefore(min) ?? this.#expiredNext;
      this.#forgetBefore(min);
      if (min >= this.#forgotten.end) this.#forgotten = NOTHING_FORGOTTEN;
      if (this.#end > min) {
        const [known] = await read(this.#end - 1, 1);
        if (known === undefined || !isSame(known, this.#last)) this.#restart(min);
      }
    }
    while (this.#end < max) {
      if (reads >= maxReads) return false;
      const before = this.#end;
      const found = await read(before, this.#limits.readCount);
      if (found.length === 0) break;
      for (const entry of found) this.#append(entry);
      const stretch = this.#copies.at(-1);
      // Only behind a whole read of copies is it likely that many follow.
      if (stretch !== undefined && stretch.end === this.#end && stretch.start <= before && this.#end < max) {
        await this.#stretchFurther(stretch, read, max);
      }
    }
    return true;
  }

  /** Finds the end of the last stretch: tries the queue's end, then doubles the distance, then halves what is left. */
  async #stretchFurther(
    stretch: CopyStretch,
    read: (offset: number, count: number) => Promise<readonly QueueEntry[]>,
    max: number,
  ): Promise<void> {
    let reached: CopiedEntry | undefined;
    let tooFar = max;
    for (let at = max - 1, step = this.#limits.readCount; stretch.end < tooFar;) {
      const [entry] = await read(at, 1);
      // Retention may be faster. The next round looks again.
      if (entry?.offset !== at) break;
      if (entry.kind === 'copy' && continues(stretch, entry)) {
        reached = entry;
        stretch.end = at + 1;
        step *= 2;
      } else {
        tooFar = at;
      }
      const isDoubling = stretch.end + step < tooFar;
      at = isDoubling ? stretch.end + step : Math.floor((stretch.end + tooFar) / 2);
    }
    if (reached === undefined) return;
    this.#end = stretch.end;
    this.#last = reached;
    const { generation, seq, next } = reached;
    this.#newest = { generation, seq, next };
  }

  #append(entry: QueueEntry): void {
    // A read may bring more than was asked for.
    if (entry.offset < this.#end) return;
    this.#end = entry.offset + 1;
    this.#last = entry;
    if (entry.kind === 'barrier') this.#noteBarrier(entry.task, entry.generation);
    else if (entry.kind === 'other') this.#appendOther(entry.offset);
    else if (!this.#isVoid(entry)) this.#appendCopy(entry);
    if (this.#copies.length + this.#others.length > this.#limits.maxStretches) this.#forgetOldest();
  }

  #isVoid({ task, generation, seq }: CopiedEntry): boolean {
    if (generation < (this.#barriers.get(task) ?? 0)) return true;
    if (this.#newest === undefined || generation > this.#newest.generation) return false;
    return generation < this.#newest.generation || seq <= this.#newest.seq;
  }

  #appendCopy(entry: CopiedEntry): void {
    const { offset, generation, seq, next } = entry;
    if (this.#newest !== undefined && next <= this.#newest.next) this.#disownCopies();
    this.#newest = { generation, seq, next };
    const last = this.#copies.at(-1);
    if (last?.end === offset && continues(last, entry)) last.end += 1;
    else this.#copies.push({ start: offset, end: offset + 1, generation, seq, next });
  }

  #appendOther(offset: number): void {
    const last = this.#others.at(-1);
    if (last?.end === offset) last.end += 1;
    else this.#others.push({ start: offset, end: offset + 1 });
  }

  #noteBarrier(task: string, generation: number): void {
    if (generation <= (this.#barriers.get(task) ?? 0)) return;
    this.#barriers.delete(task);
    this.#barriers.set(task, generation);
    if (this.#barriers.size <= MAX_TASKS) return;
    for (const oldest of this.#barriers.keys()) {
      this.#barriers.delete(oldest);
      break;
    }
  }

  /** Copies of a source queue that is no more: nothing says who has consumed them. */
  #disownCopies(): void {
    const stretches = [...this.#copies, ...this.#others].map(({ start, end }) => ({ start, end }));
    this.#others = stretches.sort((a, b) => a.start - b.start);
    this.#copies = [];
    this.#forgotten = { end: this.#forgotten.end, next: 0 };
    this.#expiredNext = 0;
  }

  #forgetOldest(): void {
    const starts = [...this.#copies, ...this.#others].map(({ start }) => start).sort((a, b) => a - b);
    const kept = starts[Math.ceil(starts.length / 10)] ?? this.#end;
    this.#forgotten = { end: kept, next: this.copiedNextBefore(kept) ?? this.#forgotten.next };
    this.#forgetBefore(kept);
  }

  #forgetBefore(offset: number): void {
    if (offset <= this.#from) return;
    this.#from = offset;
    this.#copies.splice(
      0,
      firstIndex(this.#copies, ({ end }) => end > offset),
    );
    const [first] = this.#copies;
    if (first !== undefined && first.start < offset) {
      const ahead = offset - first.start;
      this.#copies[0] = { ...first, start: offset, seq: first.seq + ahead, next: first.next + ahead };
    }
    this.#others.splice(
      0,
      firstIndex(this.#others, ({ end }) => end > offset),
    );
    const [other] = this.#others;
    if (other !== undefined && other.start < offset) other.start = offset;
  }

  #restart(from: number): void {
    this.#copies = [];
    this.#others = [];
    this.#barriers.clear();
    this.#newest = undefined;
    this.#last = undefined;
    this.#forgotten = NOTHING_FORGOTTEN;
    this.#expiredNext = 0;
    this.#from = this.#end = from;
  }
}

function continues(stretch: CopyStretch, { offset, generation, seq, next }: CopiedEntry): boolean {
  const ahead = offset - stretch.start;
  return generation === stretch.generation && seq - stretch.seq === ahead && next - stretch.next === ahead;
}

function nextAt(stretch: CopyStretch, offset: number): number {
  return stretch.next + offset - stretch.start;
}

function isSame(a: QueueEntry, b: QueueEntry): boolean {
  if (a.offset !== b.offset || a.kind !== b.kind || a.storedAt !== b.storedAt) return false;
  if (a.kind === 'other' || b.kind === 'other') return true;
  if (a.task !== b.task || a.generation !== b.generation) return false;
  return a.kind === 'barrier' || b.kind === 'barrier' || a.seq === b.seq;
}

/** Returns the index of the first item for which `isIt` holds, as it does for all behind; the length where it holds for none. */
function firstIndex<T>(items: readonly T[], isIt: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item === undefined || isIt(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
