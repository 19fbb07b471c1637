import type { ConnectValue, SinkRecord } from '@sluice/sdk';
import {
  decodeVerificationHeader,
  decodeVerificationRecord,
  VERIFICATION_HEADER,
  type VerificationNumbers,
  type VerificationPlace,
  type VerificationProblem,
} from '@sluice/verification';
import { type ArrivalGap, ArrivalGaps } from './arrival-gaps.js';
import { LatencyHistogram, type LatencyState } from './latency-histogram.js';
import { type Arrival, type SequenceState, SequenceTracker } from './sequence-tracker.js';

/** Open gaps of a source partition; see {@link SequenceTracker}. */
const MAX_RANGES_OF_PARTITION = 4096;
/** Open gaps of a key. */
const MAX_RANGES_OF_KEY = 16;
/** Source partitions and keys of one queue together. */
const DEFAULT_MAX_SEQUENCES = 200_000;
const EXAMPLES_OF_A_KIND = 5;

/** `key`: the record's key is not the one that its value names. */
export type FindingKind = 'damaged' | 'duplicate' | 'out-of-order' | 'undecided' | 'key-duplicate' | 'key-out-of-order' | 'untracked';

/** One of the first findings of a kind. */
export interface Example {
  readonly kind: FindingKind;
  /** In the queue. */
  readonly offset: number;
  /** What is wrong with a damaged record. `key`: its key is not the one that its value names. */
  readonly problem?: VerificationProblem | 'key';
  /** Without key for a record that its header numbers. */
  readonly numbers?: VerificationPlace | VerificationNumbers;
}

/** What was found in a sequence of numbers, besides the numbers. */
export interface SequenceCounts {
  readonly duplicates: number;
  readonly outOfOrder: number;
  readonly undecided: number;
}

export interface PartitionFindings extends SequenceCounts {
  readonly seed: number;
  readonly partition: number;
  readonly records: number;
  readonly seen: SequenceState;
}

/** Everything found in one queue; plain data. */
export interface FindingsState {
  readonly records: number;
  readonly damaged: number;
  /** Records of partitions or keys for which there was no room. */
  readonly untracked: number;
  readonly partitions: readonly PartitionFindings[];
  /** Of all keys together. */
  readonly keyCounts: SequenceCounts;
  readonly keys: readonly { readonly seed: number; readonly key: string; readonly seen: SequenceState }[];
  readonly latency: LatencyState;
  /** Without those that came while a task had just taken the queue. */
  readonly warmLatency: LatencyState;
  /** Milliseconds since the epoch. */
  readonly lastArrivalMs?: number;
  readonly largestArrivalGapMs: number;
  /** The longest ones; absent in reports from before they were kept. */
  readonly arrivalGaps?: readonly ArrivalGap[];
  readonly examples: readonly Example[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface TrackedPartition extends Mutable<Omit<PartitionFindings, 'seen'>> {
  readonly tracker: SequenceTracker;
}
interface TrackedKey {
  readonly seed: number;
  readonly key: string;
  readonly tracker: SequenceTracker;
}

/** Checks the records of one queue, in the order in which they come. Pure: the caller gives the time. */
export class QueueFindings {
  readonly #maxSequences: number;
  #records = 0;
  #damaged = 0;
  #untracked = 0;
  readonly #partitions = new Map<string, TrackedPartition>();
  /** Of the record before: most come in runs of one partition. */
  #lastPartition: TrackedPartition | undefined;
  readonly #keys = new Map<string, TrackedKey>();
  #keyCounts: Mutable<SequenceCounts> = { duplicates: 0, outOfOrder: 0, undecided: 0 };
  #latency = new LatencyHistogram();
  #warmLatency = new LatencyHistogram();
  readonly #warmUpMs: number;
  /** When the start-up of this owner ends; `undefined` before its first record. */
  #warmFromMs: number | undefined;
  #lastArrivalMs: number | undefined;
  #largestArrivalGapMs = 0;
  #arrivalGaps = new ArrivalGaps();
  readonly #examples: Example[] = [];

  constructor(state?: FindingsState, { maxSequences = DEFAULT_MAX_SEQUENCES, warmUpMs = 0 } = {}) {
    this.#maxSequences = maxSequences;
    this.#warmUpMs = warmUpMs;
    if (state !== undefined) this.#restore(state);
  }

  #restore(state: FindingsState): void {
    this.#records = state.records;
    this.#damaged = state.damaged;
    this.#untracked = state.untracked;
    for (const { seen, ...partition } of state.partitions) {
      const tracker = new SequenceTracker(MAX_RANGES_OF_PARTITION, seen);
      this.#partitions.set(partitionKey(partition), { ...partition, tracker });
    }
    for (const { seed, key, seen } of state.keys) {
      this.#keys.set(keyKey({ seed, key }), { seed, key, tracker: new SequenceTracker(MAX_RANGES_OF_KEY, seen) });
    }
    this.#keyCounts = { ...state.keyCounts };
    this.#latency = LatencyHistogram.restore(state.latency);
    this.#warmLatency = LatencyHistogram.restore(state.warmLatency);
    this.#lastArrivalMs = state.lastArrivalMs;
    this.#largestArrivalGapMs = state.largestArrivalGapMs;
    this.#arrivalGaps = new ArrivalGaps(state.arrivalGaps);
    this.#examples.push(...state.examples);
  }

  get state(): FindingsState {
    return {
      records: this.#records,
      damaged: this.#damaged,
      untracked: this.#untracked,
      partitions: [...this.#partitions.values()].map(({ tracker, ...partition }) => ({
        ...partition,
        seen: tracker.state,
      })),
      keyCounts: { ...this.#keyCounts },
      keys: [...this.#keys.values()].map(({ seed, key, tracker }) => ({ seed, key, seen: tracker.state })),
      latency: this.#latency.state,
      warmLatency: this.#warmLatency.state,
      ...(this.#lastArrivalMs === undefined ? undefined : { lastArrivalMs: this.#lastArrivalMs }),
      largestArrivalGapMs: this.#largestArrivalGapMs,
      arrivalGaps: this.#arrivalGaps.state,
      examples: [...this.#examples],
    };
  }

  /** Takes the next record of the queue. */
  add(record: SinkRecord, arrivedMs: number): void {
    this.#records += 1;
    this.#noteArrival(arrivedMs);
    const { value, offset } = record;
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    const decoded = bytes instanceof Uint8Array ? decodeVerificationRecord(bytes) : ({ ok: false, problem: 'format' } as const);
    if (!decoded.ok) {
      const header = decoded.problem === 'format' ? headerOf(record) : undefined;
      if (header === undefined) this.#noteDamaged(offset, decoded.problem);
      else this.#addByHeader(header, offset, arrivedMs);
      return;
    }
    const { numbers } = decoded;
    this.#noteLatency(numbers, arrivedMs);
    // The checksum vouches for the value: its numbers count, whatever became of the key beside it.
    if (textOf(record.key) !== numbers.key) {
      this.#damaged += 1;
      this.#note({ kind: 'damaged', offset, problem: 'key', numbers });
    }
    this.#track(numbers, offset);
  }

  /** The value of such a record is a struct of any schema: nobody can say here whether it is whole. */
  #addByHeader(header: string, offset: number, arrivedMs: number): void {
    const decoded = decodeVerificationHeader(header);
    if (!decoded.ok) {
      this.#noteDamaged(offset, decoded.problem);
      return;
    }
    const { place } = decoded;
    this.#noteLatency(place, arrivedMs);
    const partition = this.#partitionOf(place);
    if (partition === undefined) {
      this.#untracked += 1;
      this.#note({ kind: 'untracked', offset, numbers: place });
    } else this.#trackIn(partition, place, offset);
  }

  #noteDamaged(offset: number, problem: VerificationProblem): void {
    this.#damaged += 1;
    this.#note({ kind: 'damaged', offset, problem });
  }

  #noteLatency({ createdMs }: VerificationPlace, arrivedMs: number): void {
    this.#latency.add(arrivedMs - createdMs);
    this.#warmFromMs ??= arrivedMs + this.#warmUpMs;
    if (arrivedMs >= this.#warmFromMs) this.#warmLatency.add(arrivedMs - createdMs);
  }

  #noteArrival(arrivedMs: number): void {
    if (this.#lastArrivalMs !== undefined) {
      this.#largestArrivalGapMs = Math.max(this.#largestArrivalGapMs, arrivedMs - this.#lastArrivalMs);
      this.#arrivalGaps.add(this.#lastArrivalMs, arrivedMs);
    }
    this.#lastArrivalMs = arrivedMs;
  }

  #track(numbers: VerificationNumbers, offset: number): void {
    const partition = this.#partitionOf(numbers);
    const key = this.#keyOf(numbers);
    if (partition === undefined || key === undefined) {
      this.#untracked += 1;
      this.#note({ kind: 'untracked', offset, numbers });
    }
    if (partition !== undefined) this.#trackIn(partition, numbers, offset);
    if (key !== undefined) {
      const finding = count(key.tracker.add(numbers.keySeq), this.#keyCounts);
      if (finding === 'duplicate' || finding === 'out-of-order') this.#note({ kind: `key-${finding}`, offset, numbers });
    }
  }

  #trackIn(partition: TrackedPartition, numbers: VerificationPlace, offset: number): void {
    partition.records += 1;
    const finding = count(partition.tracker.add(numbers.seq), partition);
    if (finding !== undefined) this.#note({ kind: finding, offset, numbers });
  }

  #partitionOf({ seed, partition }: VerificationPlace): TrackedPartition | undefined {
    const last = this.#lastPartition;
    if (last?.partition === partition && last.seed === seed) return last;
    const name = partitionKey({ seed, partition });
    let tracked = this.#partitions.get(name);
    if (tracked === undefined && this.#hasRoom) {
      const tracker = new SequenceTracker(MAX_RANGES_OF_PARTITION);
      tracked = { seed, partition, records: 0, duplicates: 0, outOfOrder: 0, undecided: 0, tracker };
      this.#partitions.set(name, tracked);
    }
    this.#lastPartition = tracked;
    return tracked;
  }

  #keyOf({ seed, key }: VerificationNumbers): TrackedKey | undefined {
    const name = keyKey({ seed, key });
    const known = this.#keys.get(name);
    if (known !== undefined || !this.#hasRoom) return known;
    const tracked = { seed, key, tracker: new SequenceTracker(MAX_RANGES_OF_KEY) };
    this.#keys.set(name, tracked);
    return tracked;
  }

  get #hasRoom(): boolean {
    return this.#partitions.size + this.#keys.size < this.#maxSequences;
  }

  #note(example: Example): void {
    const alike = this.#examples.filter(({ kind }) => kind === example.kind);
    if (alike.length < EXAMPLES_OF_A_KIND) this.#examples.push(example);
  }
}

function count(arrival: Arrival, counts: Mutable<SequenceCounts>): 'duplicate' | 'out-of-order' | 'undecided' | undefined {
  switch (arrival) {
    case 'next':
    case 'ahead':
      // A gap is no finding yet: what fills it is late, and what never does is missing.
      return undefined;
    case 'late':
      counts.outOfOrder += 1;
      return 'out-of-order';
    case 'duplicate':
      counts.duplicates += 1;
      return 'duplicate';
    case 'undecided':
      counts.undecided += 1;
      return 'undecided';
    default:
      return arrival satisfies never;
  }
}

/** The name of a source partition, unique over all seeds. */
export function partitionKey({ seed, partition }: { readonly seed: number; readonly partition: number }): string {
  return `${seed}/${partition}`;
}

/** The name of a key, unique over all seeds. */
export function keyKey({ seed, key }: { readonly seed: number; readonly key: string }): string {
  return `${seed}/${key}`;
}

function headerOf({ headers }: SinkRecord): string | undefined {
  const header = headers?.find(({ key }) => key === VERIFICATION_HEADER);
  return header === undefined ? undefined : textOf(header.value);
}

function textOf(key: ConnectValue | undefined): string | undefined {
  if (typeof key === 'string') return key;
  if (!(key instanceof Uint8Array)) return undefined;
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('utf8');
}
