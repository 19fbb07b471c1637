import type { FilterName } from './letter-filter.js';
import { type Letter, placeOf } from './letter.js';
import type { LeftReason } from './plan-letter.js';

/** Why a letter that passes the filters was not redriven, or may not have been. */
export type NotSentReason = LeftReason | 'unreadable' | 'failed' | 'unknown-outcome';

/** What people read of each reason. */
const EXPLANATIONS: Readonly<Record<NotSentReason, string>> = {
  incomplete: 'lack parts of their records, which nobody can restore',
  'redriven-too-often': 'were redriven as often as --max-redrives allows',
  'without-topic': 'do not say which topic they are of: give --to TOPIC',
  'wrong-topic': 'are of a topic that takes no records',
  'of-a-source': 'are of a source and hold the value as JSON with its schema: give --source-letters=as-json to send them so',
  unreadable: 'cannot be read',
  failed: 'could not be sent; nothing of them was stored',
  'unknown-outcome': 'may have been stored or not: no broker said. They stay, and the next redrive sends them again',
};

/** So many letters are named for each reason. */
const MAX_NAMED = 20;

interface NotSent {
  count: number;
  readonly named: { readonly place: string; readonly detail: string | undefined }[];
}

/** What a redrive did, or with `--dry-run` would do. */
export class RedriveReport {
  sent = 0;
  /** Passed over, for they were redriven before. */
  redrivenBefore = 0;
  /** Why the redrive ended before it had looked at all letters; `undefined` where it did. */
  stopped: { readonly by: 'limit' | 'signal' | 'error'; readonly reason: string } | undefined;
  readonly #sentTo = new Map<string, number>();
  readonly #filtered = new Map<FilterName, number>();
  readonly #notSent = new Map<NotSentReason, NotSent>();
  readonly #notices: string[] = [];

  constructor(
    readonly topic: string,
    readonly isDryRun: boolean,
  ) {}

  addSent(topic: string): void {
    this.sent += 1;
    this.#sentTo.set(topic, (this.#sentTo.get(topic) ?? 0) + 1);
  }

  addFiltered(by: FilterName): void {
    this.#filtered.set(by, (this.#filtered.get(by) ?? 0) + 1);
  }

  addNotSent(reason: NotSentReason, letter: Pick<Letter, 'queue' | 'offset'>, detail?: string): void {
    const found = this.#notSent.get(reason) ?? { count: 0, named: [] };
    this.#notSent.set(reason, found);
    found.count += 1;
    if (found.named.length < MAX_NAMED) found.named.push({ place: placeOf(letter), detail });
  }

  /** Adds what whoever reads the report has to know besides. */
  addNotice(text: string): void {
    this.#notices.push(text);
  }

  /** 0: nothing that passes the filters is left. 1: it ended too early. 3: letters are left. */
  get exitCode(): 0 | 1 | 3 {
    if (this.stopped !== undefined && this.stopped.by !== 'limit') return 1;
    return this.#notSent.size > 0 ? 3 : 0;
  }

  asJson(): object {
    return {
      topic: this.topic,
      dryRun: this.isDryRun,
      sent: this.sent,
      sentTo: Object.fromEntries(this.#sentTo),
      redrivenBefore: this.redrivenBefore,
      filtered: Object.fromEntries(this.#filtered),
      notSent: Object.fromEntries([...this.#notSent].map(([reason, { count, named }]) => [reason, { count, letters: named }])),
      stopped: this.stopped ?? null,
      notices: this.#notices,
    };
  }

  asText(): string {
    const lines = [`Dead letter topic ${this.topic}: ${this.isDryRun ? 'would send' : 'sent'} ${letters(this.sent)}`];
    for (const [topic, count] of this.#sentTo) lines.push(`  to topic ${topic}: ${count}`);
    if (this.redrivenBefore > 0) lines.push(`  redriven before: ${this.redrivenBefore}`);
    for (const [filter, count] of this.#filtered) lines.push(`  left out by ${filter}: ${count}`);
    for (const [reason, { count, named }] of this.#notSent) {
      lines.push(`  NOT SENT: ${letters(count)} that ${EXPLANATIONS[reason]}`);
      for (const { place, detail } of named) lines.push(`    ${place}${detail === undefined ? '' : `: ${detail}`}`);
      if (count > named.length) lines.push(`    and ${count - named.length} more`);
    }
    for (const notice of this.#notices) lines.push(`  ${notice}`);
    if (this.stopped !== undefined) lines.push(`  STOPPED: ${this.stopped.reason}. Run the command again to continue`);
    return lines.join('\n');
  }
}

function letters(count: number): string {
  return count === 1 ? '1 letter' : `${count} letters`;
}
