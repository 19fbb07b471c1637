import { queueKey, type QueueRef } from '@sluice/sdk';
import type { ArrivalGap } from './arrival-gaps.js';
import { LatencyHistogram, type LatencySummary } from './latency-histogram.js';
import { type Example, type FindingsState, keyKey, partitionKey, type PartitionFindings, type SequenceCounts } from './queue-findings.js';
import { countOf, gapsOf, mergeSequences, type NumberRange, type SequenceState } from './sequence-tracker.js';

const MAX_MISSING_RANGES = 100;

/** How many records a run should have made. Without it nobody can know that the last ones are missing. */
export interface ExpectedRecords {
  readonly seed: number;
  /** One number for each source partition, from partition 0 on. */
  readonly ofPartitions: readonly number[];
}

/** Numbers of a source partition that never came, both ends included. */
export interface MissingRange {
  readonly seed: number;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

export interface PartitionVerdict extends SequenceCounts {
  readonly seed: number;
  readonly partition: number;
  readonly records: number;
  /** The lowest and the highest number that came; absent when none did. */
  readonly first?: number;
  readonly last?: number;
  readonly missing: number;
}

/** What was found in some queues together. */
export interface Verdict extends SequenceCounts {
  /** Something came, and of every source partition and key each number up to the highest, or up to the expected end. */
  readonly complete: boolean;
  /** Complete, and nothing was duplicate, out of order, damaged or undecided. */
  readonly clean: boolean;
  /** Everything that came, also duplicates and what is damaged. */
  readonly records: number;
  readonly missing: number;
  readonly damaged: number;
  /** Records of partitions or keys for which there was no room. */
  readonly untracked: number;
  /** Of all keys together. */
  readonly keys: SequenceCounts & { readonly count: number; readonly missing: number };
  readonly partitions: readonly PartitionVerdict[];
  /** The first hundred. Gaps that were given up are not among them. */
  readonly missingRanges: readonly MissingRange[];
  /** From the making of a record to its arrival in the sink, in milliseconds; absent when nothing came. */
  readonly latencyMs?: LatencySummary;
  /** The same without the start-up of each owner of a queue; absent when nothing came after it. */
  readonly warmLatencyMs?: LatencySummary;
  /** The longest time without a record in any one queue, between two that came. */
  readonly largestArrivalGapMs: number;
  /** Of each queue the hundred longest times without a record, in the order of time. */
  readonly arrivalGaps: readonly (ArrivalGap & { readonly queue: string })[];
  readonly examples: readonly (Example & { readonly queue: string })[];
}

/** Judges what was found in several queues as one. */
export function judge(
  queues: readonly { readonly queue: QueueRef; readonly findings: FindingsState }[],
  expected?: ExpectedRecords,
): Verdict {
  const findings = queues.map((queue) => queue.findings);
  const judged = judgePartitions(findings, expected);
  const partitions = judged.map(({ verdict }) => verdict);
  const keys = judgeKeys(findings);
  const counts = {
    missing: sum(partitions, ({ missing }) => missing),
    ...countsOf(partitions),
    damaged: sum(findings, ({ damaged }) => damaged),
    untracked: sum(findings, ({ untracked }) => untracked),
  };
  const records = sum(findings, (found) => found.records);
  const complete = records > 0 && counts.missing + keys.missing + counts.untracked === 0;
  const flaws = counts.duplicates + counts.outOfOrder + counts.undecided + counts.damaged;
  const latencyMs = LatencyHistogram.restore(...findings.map(({ latency }) => latency)).summary;
  const warmLatencyMs = LatencyHistogram.restore(...findings.map(({ warmLatency }) => warmLatency)).summary;
  return {
    complete,
    clean: complete && flaws + keys.duplicates + keys.outOfOrder + keys.undecided === 0,
    records,
    ...counts,
    keys,
    partitions,
    missingRanges: judged.flatMap(({ missingRanges }) => missingRanges).slice(0, MAX_MISSING_RANGES),
    ...(latencyMs === undefined ? undefined : { latencyMs }),
    ...(warmLatencyMs === undefined ? undefined : { warmLatencyMs }),
    largestArrivalGapMs: Math.max(0, ...findings.map(({ largestArrivalGapMs }) => largestArrivalGapMs)),
    arrivalGaps: queues.flatMap(({ queue, findings: { arrivalGaps = [] } }) =>
      arrivalGaps.map((gap) => ({ ...gap, queue: queueKey(queue) })),
    ),
    examples: queues.flatMap(({ queue, findings: { examples } }) => examples.map((example) => ({ ...example, queue: queueKey(queue) }))),
  };
}

interface JudgedPartition {
  readonly verdict: PartitionVerdict;
  readonly missingRanges: readonly MissingRange[];
}

function judgePartitions(findings: readonly FindingsState[], expected: ExpectedRecords | undefined): readonly JudgedPartition[] {
  const states = grouped(
    findings.flatMap(({ partitions }) => partitions),
    partitionKey,
  );
  const ends = new Map<string, number>();
  for (const [partition, end] of expected?.ofPartitions.entries() ?? []) {
    const name = { seed: expected?.seed ?? 0, partition };
    const nothing = { ...name, records: 0, duplicates: 0, outOfOrder: 0, undecided: 0, seen: { ranges: [] } };
    ends.set(partitionKey(name), end);
    states.set(partitionKey(name), [...(states.get(partitionKey(name)) ?? []), nothing]);
  }
  return [...states]
    .map(([name, parts]) => judgePartition(parts, ends.get(name)))
    .sort(({ verdict: left }, { verdict: right }) => left.seed - right.seed || left.partition - right.partition);
}

/** @param parts what was seen of the partition in each queue; at least one */
function judgePartition(parts: readonly PartitionFindings[], end: number | undefined): JudgedPartition {
  const { seed = 0, partition = 0 } = parts[0] ?? {};
  const { ranges, duplicates, givenUp } = mergeSequences(parts.map(({ seen }) => seen));
  const gaps = gapsOf(ranges, end);
  const counts = countsOf(parts);
  const first = ranges[0]?.[0];
  const last = ranges.at(-1)?.[1];
  return {
    verdict: {
      seed,
      partition,
      records: sum(parts, ({ records }) => records),
      ...(first === undefined || last === undefined ? undefined : { first, last }),
      missing: countOf(gaps) + givenUp,
      ...counts,
      duplicates: counts.duplicates + duplicates,
    },
    missingRanges: gaps.map(([from, to]: NumberRange) => ({ seed, partition, from, to })),
  };
}

function judgeKeys(findings: readonly FindingsState[]): Verdict['keys'] {
  const counts = countsOf(findings.map(({ keyCounts }) => keyCounts));
  const states = grouped(
    findings.flatMap(({ keys }) => keys),
    keyKey,
  );
  let missing = 0;
  let duplicates = counts.duplicates;
  for (const parts of states.values()) {
    const merged = mergeSequences(parts.map(({ seen }: { readonly seen: SequenceState }) => seen));
    missing += countOf(gapsOf(merged.ranges)) + merged.givenUp;
    duplicates += merged.duplicates;
  }
  return { count: states.size, missing, ...counts, duplicates };
}

function countsOf(parts: readonly SequenceCounts[]): SequenceCounts {
  return {
    duplicates: sum(parts, ({ duplicates }) => duplicates),
    outOfOrder: sum(parts, ({ outOfOrder }) => outOfOrder),
    undecided: sum(parts, ({ undecided }) => undecided),
  };
}

function grouped<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}
