import type { StampCoordinates } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

export type FilterVerdict = 'accept' | 'older-generation' | 'repeated-seq';

export interface StreamFilterLimits {
  /** What the streams may take in the text that is stored, and the tasks as much again. Memory is about five times that. */
  readonly maxTextBytes: number;
  /** A stream that is silent for longer is forgotten. Time is that of the records' storing. */
  readonly maxSilenceMs: number;
}

/** 32,768 source partitions: with `queue.by=key` all of a source's write to each queue. */
const DEFAULT_LIMITS: StreamFilterLimits = { maxTextBytes: 1024 * 1024, maxSilenceMs: 24 * 3600 * 1000 };
/** The most that one stream or task takes there, with any number that occurs. */
const ENTRY_BYTES = 32;
/** The part of its entries that a full filter keeps: it sorts them to find the others. */
const KEPT_SHARE = 0.9;

interface StreamSeen {
  generation: number;
  seq: number;
  /** Minutes since the epoch. */
  minute: number;
  /** That sent its last record; `undefined` since the state was stored. */
  task: TaskSeen | undefined;
}

interface TaskSeen {
  generation: number;
  minute: number;
}

const FORMAT_VERSION = '1';
const MS_PER_MINUTE = 60_000;

/**
 * Drops the duplicates of one queue. A generation of a source task puts a barrier into a queue before its first record. It finds out what older ones
 * left before the barrier, so:
 *
 * - once a barrier or a record of a generation was read, whatever an older generation of the same task or stream still writes is void;
 * - within one generation the seqs of a stream only grow, with holes where a partition writes to several queues. A seq that is not above the last one
 *   repeats a record that was read before. A newer generation may start its seqs again.
 *
 * Pure: the verdict follows from the records alone. Its state fits into a short text that is stored together with the queue's offset.
 */
export class StreamFilter {
  readonly #generations = new Map<string, TaskSeen>();
  readonly #streams = new Map<string, StreamSeen>();
  #nextSweepMinute = 0;
  #text: string | undefined;
  readonly #maxEntries: number;
  #forgotten = 0;

  constructor(private readonly limits: StreamFilterLimits = DEFAULT_LIMITS) {
    this.#maxEntries = Math.floor(limits.maxTextBytes / ENTRY_BYTES);
  }

  /** How many were forgotten for lack of room, although their last records may come again. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** Notes that a generation of a task wrote its barrier. */
  barrier(task: string, generation: number, storedAtMs: number): void {
    this.#noteGeneration(task, generation, storedAtMs);
  }

  /** Judges the next record of the queue and remembers it when it is accepted. */
  judge(stamp: StampCoordinates, storedAtMs: number): FilterVerdict {
    const verdict = this.verdict(stamp);
    if (verdict === 'accept') this.remember(stamp, storedAtMs);
    return verdict;
  }

  /** Judges a record without remembering it. */
  verdict({ task, stream, generation, seq }: StampCoordinates): FilterVerdict {
    const newest = this.#generations.get(task);
    if (newest !== undefined && generation < newest.generation) return 'older-generation';
    const seen = this.#streams.get(stream);
    if (seen === undefined || generation > seen.generation) return 'accept';
    if (generation < seen.generation) return 'older-generation';
    return seq > seen.seq ? 'accept' : 'repeated-seq';
  }

  /** Remembers a record that was accepted. */
  remember({ task, stream, generation, seq }: StampCoordinates, storedAtMs: number): void {
    const sender = this.#noteGeneration(task, generation, storedAtMs);
    const minute = Math.floor(storedAtMs / MS_PER_MINUTE);
    const seen = this.#streams.get(stream);
    if (seen === undefined) {
      this.#streams.set(stream, { generation, seq, minute, task: sender });
      if (this.#streams.size > this.#maxEntries) this.#forget(minute);
    } else {
      seen.generation = generation;
      seen.seq = seq;
      seen.minute = minute;
      seen.task = sender;
    }
    this.#text = undefined;
    if (minute >= this.#nextSweepMinute) this.#forget(minute);
  }

  /** `1;<task>:<generation>:<minute>,...;<stream>:<generation>:<seq>:<minute>,...` with numbers in base 36; empty when nothing is known. */
  serialize(): string {
    if (this.#generations.size === 0) return '';
    if (this.#text === undefined) {
      const tasks = [...this.#generations].map(([task, seen]) => `${task}:${base36(seen.generation)}:${base36(seen.minute)}`);
      this.#text = `${FORMAT_VERSION};${tasks.join(',')};${this.#streamsText()}`;
    }
    return this.#text;
  }

  /** Made at every flush for each queue. Most streams have the generation and the minute of the one before, which are not made again then. */
  #streamsText(): string {
    const items: string[] = [];
    let last: StreamSeen | undefined;
    let [generationText, minuteText] = ['', ''];
    for (const [stream, seen] of this.#streams) {
      if (seen.generation !== last?.generation) generationText = base36(seen.generation);
      if (seen.minute !== last?.minute) minuteText = base36(seen.minute);
      items.push(`${stream}:${generationText}:${base36(seen.seq)}:${minuteText}`);
      last = seen;
    }
    return items.join(',');
  }

  /** @throws FilterStateError when the text is not what {@link serialize} makes. */
  static restore(text: string, limits: StreamFilterLimits = DEFAULT_LIMITS): StreamFilter {
    const filter = new StreamFilter(limits);
    if (text === '') return filter;
    const [version, tasks, streams, ...rest] = text.split(';');
    if (version !== FORMAT_VERSION || tasks === undefined || streams === undefined || rest.length > 0) throw new FilterStateError(text);
    for (const [task, [generation = 0, minute = 0]] of entries(text, tasks, 2)) filter.#generations.set(task, { generation, minute });
    for (const [stream, [generation = 0, seq = 0, minute = 0]] of entries(text, streams, 3)) {
      filter.#streams.set(stream, { generation, seq, minute, task: undefined });
    }
    return filter;
  }

  #noteGeneration(task: string, generation: number, storedAtMs: number): TaskSeen {
    const minute = Math.floor(storedAtMs / MS_PER_MINUTE);
    const seen = this.#generations.get(task);
    if (seen === undefined) {
      const added = { generation, minute };
      this.#generations.set(task, added);
      this.#text = undefined;
      return added;
    }
    if (generation > seen.generation) {
      seen.generation = generation;
      this.#text = undefined;
    }
    seen.minute = Math.max(seen.minute, minute);
    return seen;
  }

  #forget(minute: number): void {
    const oldest = minute - this.limits.maxSilenceMs / MS_PER_MINUTE;
    this.#nextSweepMinute = minute + Math.max(1, this.limits.maxSilenceMs / MS_PER_MINUTE / 10);
    for (const seen of [this.#streams, this.#generations]) {
      for (const [key, { minute: last }] of seen) if (last < oldest) seen.delete(key);
    }
    if (this.#streams.size > this.#maxEntries) this.#forgetVoid();
    for (const seen of [this.#streams, this.#generations]) {
      if (seen.size <= this.#maxEntries) continue;
      const surplus = seen.size - Math.floor(this.#maxEntries * KEPT_SHARE);
      const bySilence = [...seen].sort(([, a], [, b]) => a.minute - b.minute);
      for (const [key] of bySilence.slice(0, surplus)) seen.delete(key);
      this.#forgotten += surplus;
    }
    this.#text = undefined;
  }

  /** Forgets streams of a generation that is void: whatever it still writes is dropped for that. */
  #forgetVoid(): void {
    for (const [stream, { generation, task }] of this.#streams) {
      if (task !== undefined && generation < task.generation) this.#streams.delete(stream);
    }
  }
}

/** A stored filter state that cannot be read: it was cut short or another program wrote it. */
export class FilterStateError extends ConnectError {
  constructor(text: string) {
    super(
      ConnectErrorCode.stateInvalid,
      `The filter state "${text.slice(0, 80)}" is damaged; expected "1;<task>:<generation>:<minute>,...;<stream>:<generation>:<seq>:<minute>,..."`,
    );
  }
}

function base36(value: number): string {
  return value.toString(36);
}

function* entries(text: string, list: string, count: number): Generator<[string, readonly number[]]> {
  if (list === '') return;
  for (const entry of list.split(',')) {
    const [key, ...rest] = entry.split(':');
    const numbers = rest.map((item) => (/^[0-9a-z]+$/.test(item) ? parseInt(item, 36) : NaN));
    const isWhole = numbers.length === count && numbers.every((number) => Number.isSafeInteger(number));
    if (key === undefined || key === '' || !isWhole) throw new FilterStateError(text);
    yield [key, numbers];
  }
}
