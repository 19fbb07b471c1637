import type { StampCoordinates } from '@sluice/protocol';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

export type FilterVerdict = 'accept' | 'older-generation' | 'repeated-seq';

export interface StreamFilterLimits {
  /** Beyond this many streams those that were silent longest are forgotten. */
  readonly maxStreams: number;
  /** A stream that is silent for longer is forgotten. Time is that of the records' storing. */
  readonly maxSilenceMs: number;
}

const defaultStreamFilterLimits: StreamFilterLimits = { maxStreams: 4096, maxSilenceMs: 24 * 3600 * 1000 };

interface StreamSeen {
  generation: number;
  seq: number;
  /** Minutes since the epoch. */
  minute: number;
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

  constructor(private readonly limits: StreamFilterLimits = defaultStreamFilterLimits) {}

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
    this.#noteGeneration(task, generation, storedAtMs);
    const minute = Math.floor(storedAtMs / MS_PER_MINUTE);
    const seen = this.#streams.get(stream);
    if (seen === undefined) {
      this.#streams.set(stream, { generation, seq, minute });
      if (this.#streams.size > this.limits.maxStreams) this.#forget(minute);
    } else {
      seen.generation = generation;
      seen.seq = seq;
      seen.minute = minute;
    }
    this.#text = undefined;
    if (minute >= this.#nextSweepMinute) this.#forget(minute);
  }

  /** `1;<task>:<generation>:<minute>,...;<stream>:<generation>:<seq>:<minute>,...` with numbers in base 36; empty when nothing is known. */
  serialize(): string {
    if (this.#generations.size === 0) return '';
    if (this.#text === undefined) {
      const tasks = [...this.#generations].map(([task, seen]) => `${task}:${base36(seen.generation)}:${base36(seen.minute)}`);
      const streams = [...this.#streams].map(([stream, seen]) =>
        [stream, base36(seen.generation), base36(seen.seq), base36(seen.minute)].join(':'),
      );
      this.#text = `${FORMAT_VERSION};${tasks.join(',')};${streams.join(',')}`;
    }
    return this.#text;
  }

  /** @throws FilterStateError when the text is not what {@link serialize} makes. */
  static restore(text: string, limits: StreamFilterLimits = defaultStreamFilterLimits): StreamFilter {
    const filter = new StreamFilter(limits);
    if (text === '') return filter;
    const [version, tasks, streams, ...rest] = text.split(';');
    if (version !== FORMAT_VERSION || tasks === undefined || streams === undefined || rest.length > 0) throw new FilterStateError(text);
    for (const [task, [generation = 0, minute = 0]] of entries(text, tasks, 2)) filter.#generations.set(task, { generation, minute });
    for (const [stream, [generation = 0, seq = 0, minute = 0]] of entries(text, streams, 3)) {
      filter.#streams.set(stream, { generation, seq, minute });
    }
    return filter;
  }

  #noteGeneration(task: string, generation: number, storedAtMs: number): void {
    const seen = this.#generations.get(task);
    if (seen === undefined) {
      this.#generations.set(task, { generation, minute: Math.floor(storedAtMs / MS_PER_MINUTE) });
      this.#text = undefined;
      return;
    }
    if (generation > seen.generation) {
      seen.generation = generation;
      this.#text = undefined;
    }
    seen.minute = Math.max(seen.minute, Math.floor(storedAtMs / MS_PER_MINUTE));
  }

  #forget(minute: number): void {
    const oldest = minute - this.limits.maxSilenceMs / MS_PER_MINUTE;
    this.#nextSweepMinute = minute + Math.max(1, this.limits.maxSilenceMs / MS_PER_MINUTE / 10);
    for (const seen of [this.#streams, this.#generations]) {
      for (const [key, { minute: last }] of seen) if (last < oldest) seen.delete(key);
      const keep = Math.floor(this.limits.maxStreams * 0.9);
      if (seen.size <= this.limits.maxStreams) continue;
      const bySilence = [...seen].sort(([, a], [, b]) => a.minute - b.minute);
      for (const [key] of bySilence.slice(0, seen.size - keep)) seen.delete(key);
    }
    this.#text = undefined;
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
