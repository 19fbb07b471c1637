import { DIFFERENCES, type FindingKind, type FoundOfKind, UNKNOWNS } from '@sluice/replication';
import { queueKey } from '@sluice/sdk';
import { oneLine } from '../dead-letters/letter-text.js';
import { queueName } from '../queues/queue-cursor.js';
import type { PairResult } from './compare-pair.js';

/** What a comparison of two clusters comes to; `unproven`: nothing differs, and not everything could be compared or has been copied. */
export type Verdict = 'equal' | 'different' | 'unproven';

export const EXIT_CODES = { equal: 0, different: 1, unproven: 3 } as const satisfies Record<Verdict, number>;

/** What people read of each kind of finding. */
const EXPLANATIONS: Readonly<Record<FindingKind, string>> = {
  missing: 'MISSING at the target',
  duplicate: 'DUPLICATE at the target',
  'out-of-order': 'OUT OF ORDER: later messages stand before them at the target',
  different: 'DIFFERENT',
  invented: 'INVENTED: the target has copies of offsets at which the source has no message that the flow copies',
  'removed-at-source': 'unknown: retention removed them at the source',
  'removed-at-target': 'unknown: retention removed their copies at the target, if there were any',
  'before-first-copy': 'unknown: they are before the first message that the flow has copied',
  'copied-late': 'unknown: their copies stand too far behind for a comparison',
  unreadable: 'unknown: one side cannot be read',
};

/** So many ranges of offsets are shown to people; JSON has more. */
const MAX_SHOWN = 20;

export interface VerifyReportOptions {
  readonly from: string;
  readonly to: string;
  readonly results: readonly PairResult[];
  /** Whether messages before the first copy are none of the flow's business. */
  readonly isFromFirstCopy: boolean;
}

/** What a comparison of two clusters found. */
export class VerifyReport {
  constructor(private readonly options: VerifyReportOptions) {}

  get verdict(): Verdict {
    const { results } = this.options;
    if (results.some(({ comparison }) => comparison.findings.hasDifferences)) return 'different';
    return results.every((result) => this.#isProven(result)) ? 'equal' : 'unproven';
  }

  asJson(): object {
    const { from, to, results } = this.options;
    return {
      from,
      to,
      verdict: this.verdict,
      compared: total(results, ({ comparison }) => comparison.compared),
      notYetCopied: total(results, ({ comparison }) => comparison.notYetCopied),
      queues: results.map((result) => {
        const { pair, comparison, others } = result;
        const { compared, leftOut, notYetCopied, findings, ranges } = comparison;
        return {
          source: queueKey(pair.source),
          target: pair.copies === undefined ? null : queueKey(pair.copies.queue),
          verdict: findings.hasDifferences ? 'different' : this.#isProven(result) ? 'equal' : 'unproven',
          compared,
          leftOut,
          notYetCopied,
          ...others,
          findings: findings.state(),
          ranges,
        };
      }),
    };
  }

  asText(): string {
    const { from, to, results } = this.options;
    const topics = new Set(results.map(({ pair }) => pair.source.topic)).size;
    const lines = [`Compared ${some(results.length, 'queue')} of ${some(topics, 'topic')} of ${from} with ${to}`];
    for (const { pair, comparison, others } of results) {
      const { compared, leftOut, notYetCopied, findings } = comparison;
      const target = pair.copies === undefined ? 'no copies' : placeText(pair.copies.queue);
      const counts = [`${compared} compared`];
      if (notYetCopied > 0) counts.push(`${notYetCopied} not yet copied`);
      if (leftOut > 0) counts.push(`${leftOut} left out by the flow`);
      if (others.local > 0) counts.push(`${others.local} of the target's own`);
      if (others.otherFlows > 0) counts.push(`${others.otherFlows} of other flows`);
      lines.push(`  ${placeText(pair.source)} -> ${target}: ${counts.join(', ')}`);
      const state = findings.state();
      for (const kind of [...DIFFERENCES, ...UNKNOWNS]) {
        const found = state[kind];
        if (found !== undefined) lines.push(...findingLines(kind, found));
      }
    }
    return [...lines, this.#conclusion()].join('\n');
  }

  #isProven({ comparison: { findings, notYetCopied } }: PairResult): boolean {
    const before = this.options.isFromFirstCopy ? findings.count('before-first-copy') : 0;
    return notYetCopied === 0 && UNKNOWNS.reduce((count, kind) => count + findings.count(kind), 0) === before;
  }

  #conclusion(): string {
    const { results } = this.options;
    switch (this.verdict) {
      case 'equal':
        return `EQUAL: ${some(
          total(results, ({ comparison }) => comparison.compared),
          'message',
        )}`;
      case 'different':
        return `DIFFERENT: ${some(total(results, differencesOf), 'offset')} of the source`;
      case 'unproven':
        return 'NOT PROVEN EQUAL: nothing that was compared differs, and not all could be compared';
    }
  }
}

function differencesOf({ comparison: { findings } }: PairResult): number {
  return DIFFERENCES.reduce((count, kind) => count + findings.count(kind), 0);
}

function findingLines(kind: FindingKind, { count, offsets, unlisted }: FoundOfKind): readonly string[] {
  const shown = offsets.slice(0, MAX_SHOWN);
  const lines = [`    ${some(count, 'offset')} ${EXPLANATIONS[kind]}`];
  for (const { from, last, detail } of shown) {
    lines.push(`      ${from === last ? String(from) : `${from} to ${last}`}${detail === undefined ? '' : `: ${oneLine(detail)}`}`);
  }
  const more = offsets.slice(MAX_SHOWN).reduce((sum, { from, last }) => sum + last - from + 1, unlisted);
  if (more > 0) lines.push(`      and ${more} more`);
  return lines;
}

function placeText(queue: { readonly topic: string; readonly brokerName: string; readonly queueId: number }): string {
  return oneLine(`${queue.topic} ${queueName(queue)}`);
}

function total(results: readonly PairResult[], numberOf: (result: PairResult) => number): number {
  return results.reduce((sum, result) => sum + numberOf(result), 0);
}

function some(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
