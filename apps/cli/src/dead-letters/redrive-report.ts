import type { FilterName } from './letter-filter.js';
import { type QueueRange, queueName } from '../queues/queue-cursor.js';
import { type Letter, placeOf } from './letter.js';
import type { LeftReason } from './plan-letter.js';

/** Why a letter that passes the filters was not redriven, or may not have been. */
export type NotSentReason = LeftReason | 'unreadable' | 'removed' | 'failed' | 'unknown-outcome' | 'behind-another';

/** What people read of each reason. */
const EXPLANATIONS: Readonly<Record<NotSentReason, string>> = {
  incomplete: 'lack parts of their records, which nobody can restore',
  'redriven-too-often': 'were redriven as often as --max-redrives allows',
  'without-topic': 'do not say which topic they are of: give --to TOPIC',
  'wrong-topic': 'are of a topic that takes no records',
  'of-a-source': 'are of a source and hold the value as JSON with its schema: give --source-letters=as-json to send them so',
  unreadable: 'cannot be read',
  removed: 'retention removed before they were redriven: they are lost. Each offset counts, whatever the filters say',
  failed: 'could not be sent; nothing of them was stored',
  'unknown-outcome': 'may have been stored or not: no broker said. They stay, and the next redrive sends them again',
  'behind-another': 'wait behind one of the same key that failed or may have been stored. The next redrive looks at them again',
};

/** So many letters are named for each reason. */
const MAX_NAMED = 20;

interface NotSent {
  count: number;
  readonly named: Named[];
  /** Letters that `named` leaves out. */
  unnamed: number;
}

interface Named {
  readonly place: string;
  readonly detail: string | undefined;
  /** How many letters it stands for where it may be several. */
  letters?: number;
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
    this.#addNotSent(reason, 1, { place: placeOf(letter), detail });
  }

  /** Adds a letter whose target takes none. The report names each target once, not each of its letters. */
  addNoTarget(problem: string): void {
    const known = this.#notSent.get('failed');
    const named = known?.named.find(({ place, letters }) => letters !== undefined && place === problem);
    if (known === undefined || named?.letters === undefined) {
      this.#addNotSent('failed', 1, { place: problem, detail: undefined, letters: 1 });
      return;
    }
    known.count += 1;
    named.letters += 1;
  }

  /** Adds a range that retention removed, and the number of offsets in it of which nobody knows that they were redriven. */
  addRemoved({ queue, from, to }: QueueRange, count: number): void {
    if (count === 0) return;
    this.#addNotSent('removed', count, { place: `${queueName(queue)} offsets ${from} to ${to - 1}`, detail: undefined, letters: count });
  }

  /** Adds what whoever reads the report has to know besides. */
  addNotice(text: string): void {
    this.#notices.push(text);
  }

  #addNotSent(reason: NotSentReason, count: number, named: Named): void {
    const found = this.#notSent.get(reason) ?? { count: 0, named: [], unnamed: 0 };
    this.#notSent.set(reason, found);
    found.count += count;
    if (found.named.length < MAX_NAMED) found.named.push(named);
    else found.unnamed += count;
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
    for (const [reason, { count, named, unnamed }] of this.#notSent) {
      lines.push(`  NOT SENT: ${letters(count)} that ${EXPLANATIONS[reason]}`);
      for (const each of named) lines.push(`    ${textOf(each)}`);
      if (unnamed > 0) lines.push(`    and ${unnamed} more`);
    }
    for (const notice of this.#notices) lines.push(`  ${notice}`);
    const then = this.isDryRun ? '' : '. Run the command again to continue';
    if (this.stopped !== undefined) lines.push(`  STOPPED: ${this.stopped.reason}${then}`);
    return lines.join('\n');
  }
}

function textOf({ place, detail, letters: count }: Named): string {
  const text = detail === undefined ? place : `${place}: ${detail}`;
  return count === undefined ? text : `${text} (${letters(count)})`;
}

function letters(count: number): string {
  return count === 1 ? '1 letter' : `${count} letters`;
}
