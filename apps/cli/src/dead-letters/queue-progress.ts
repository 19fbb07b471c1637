/** Offsets from the first to the last, both included. */
export type OffsetRange = readonly [first: number, last: number];

/** Letters that were redriven behind one that was not, as an entry of the positions topic says. */
export interface DoneEntry {
  readonly queueId: number;
  readonly ranges: readonly OffsetRange[];
  /** When the broker stored the entry, in ms since the epoch. */
  readonly storedAt: number;
}

/** Letters from one offset to another were redriven, as an entry says that the broker stored then. */
interface Note {
  readonly first: number;
  readonly last: number;
  readonly storedAt: number;
}

/**
 * Keeps which letters of one queue were redriven: all before one offset, and single ones behind it. A caller reports each message, in the
 * order of the queue.
 */
export class QueueProgress {
  /** By their first offsets. Ranges take little memory however many letters they hold: a limit would end each later redrive, too. */
  readonly #notes: readonly Note[];
  /** The offset that was asked for last, the notes that may hold it or later ones, and how many notes begin up to it. */
  #asked = -1;
  #open: Note[] = [];
  #begun = 0;
  #held: number | undefined;
  #next: number;
  #unsaved: [number, number][] = [];

  /** @param from the offset before which everything was redriven */
  constructor(from: number, entries: readonly DoneEntry[]) {
    this.#next = from;
    this.#notes = entries
      .flatMap(({ ranges, storedAt }) => ranges.map(([first, last]) => ({ first, last, storedAt })))
      .filter(({ last }) => last >= from)
      .sort((left, right) => left.first - right.first);
  }

  /** The offset before which no letter is left. */
  get committable(): number {
    return this.#held ?? this.#next;
  }

  /**
   * Returns whether the letter at an offset was redriven. One that was stored later than the note of it is another letter: the topic was
   * created again.
   *
   * @param storedAt when the broker stored the letter, in ms since the epoch
   */
  isDone(offset: number, storedAt: number): boolean {
    if (offset < this.#asked) [this.#open, this.#begun] = [[], 0];
    if (offset !== this.#asked) this.#open = this.#open.filter(({ last }) => last >= offset);
    this.#asked = offset;
    for (let note = this.#notes[this.#begun]; note !== undefined && note.first <= offset; note = this.#notes[this.#begun]) {
      this.#begun += 1;
      if (note.last >= offset) this.#open.push(note);
    }
    return this.#open.some((note) => storedAt <= note.storedAt);
  }

  /** Notes that nothing is left to be done for the message at an offset: it was redriven before, or holds no record. */
  pass(offset: number): void {
    this.#next = offset + 1;
  }

  /** Notes that the letter at an offset stays where it is. */
  hold(offset: number): void {
    this.#held ??= offset;
    this.#next = offset + 1;
  }

  /** Notes that the letter at an offset was redriven now. */
  done(offset: number): void {
    this.#next = offset + 1;
    if (this.#held === undefined) return;
    const last = this.#unsaved.at(-1);
    if (last?.[1] === offset - 1) last[1] = offset;
    else this.#unsaved.push([offset, offset]);
  }

  /** Letters behind one that is left that were redriven, and of which no entry says so. */
  get unsaved(): readonly OffsetRange[] {
    return this.#unsaved;
  }

  /** Notes that an entry says so of all of them. */
  saved(): void {
    this.#unsaved = [];
  }
}

/** Writes an entry of the positions topic. */
export function encodeDoneEntry(queueId: number, ranges: readonly OffsetRange[]): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, queue: queueId, done: ranges }), 'utf8');
}

/** Reads what {@link encodeDoneEntry} wrote; `undefined` for anything else. */
export function decodeDoneEntry(body: Buffer, storedAt: number): DoneEntry | undefined {
  try {
    const { version, queue, done } = JSON.parse(body.toString('utf8')) as Readonly<Record<string, unknown>>;
    if (version !== 1 || !isOffset(queue) || !Array.isArray(done)) return undefined;
    return done.every(isRange) ? { queueId: queue, ranges: done, storedAt } : undefined;
  } catch {
    return undefined;
  }
}

function isRange(value: unknown): value is OffsetRange {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [first, last] = value as readonly unknown[];
  return isOffset(first) && isOffset(last) && first <= last;
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
