import { messageToRecord } from '@sluice/protocol';
import type { RocketMqClient } from '@sluice/rocketmq';
import { queueKey } from '@sluice/sdk';
import { pause } from '@sluice/time';
import { type Letter, queueName, readLetter } from './letter.js';
import { type LetterFilter, rejectedBy } from './letter-filter.js';
import { type LetterPlan, planLetter, type RedriveRules } from './plan-letter.js';
import type { QueueProgress } from './queue-progress.js';
import { type Found, LOOK_GROUP, readRanges } from './read-letters.js';
import { RedriveProgress } from './redrive-progress.js';
import { RedriveReport } from './redrive-report.js';
import { RecordSender } from './send-record.js';

/** Which letters a redrive sends, where, and how fast. */
export interface RedriveOptions {
  readonly rules: RedriveRules;
  readonly filter: LetterFilter;
  /** Letters that are sent at most. */
  readonly limit: number;
  /** Letters that are sent in a second at most. */
  readonly ratePerSecond: number;
  /** Reports what would be sent, and sends nothing. */
  readonly isDryRun: boolean;
}

/** Progress is stored after so many letters, or so many ms: what a redrive that is killed has sent since then is sent again. */
const SAVE_AFTER_LETTERS = 100;
const SAVE_AFTER_MS = 1_000;
/** So many sends of unknown outcome, one after the other, end a redrive. */
const MAX_UNKNOWN = 3;

/**
 * Puts the records of dead letters back, in the order in which they became dead letters, up to the letters that are there now.
 *
 * @throws what {@link RedriveProgress.open} throws; later failures are in the report
 */
export async function redrive(client: RocketMqClient, options: RedriveOptions, signal: AbortSignal): Promise<RedriveReport> {
  const { rules, isDryRun } = options;
  const progress = await RedriveProgress.open(client, rules.topic, !isDryRun, signal);
  return new Redrive(client, options, progress, signal).run();
}

class Redrive {
  readonly #report: RedriveReport;
  readonly #sender: RecordSender;
  readonly #progressOf: ReadonlyMap<string, QueueProgress>;
  #nextSendAt = 0;
  #unknownInARow = 0;
  #unsaved = 0;
  #savedAt = performance.now();

  constructor(
    private readonly client: RocketMqClient,
    private readonly options: RedriveOptions,
    private readonly progress: RedriveProgress,
    private readonly signal: AbortSignal,
  ) {
    this.#report = new RedriveReport(options.rules.topic, options.isDryRun);
    this.#sender = new RecordSender(client, signal);
    this.#progressOf = new Map(progress.works.map((work) => [queueKey(work.range.queue), work.progress]));
  }

  async run(): Promise<RedriveReport> {
    const { works, group } = this.progress;
    const report = this.#report;
    for (const { removed } of works) if (removed !== undefined) this.#noteRemoved(removed);
    const reading = { group: this.options.isDryRun ? LOOK_GROUP : group, signal: this.signal };
    const ranges = works.map(({ range }) => range);
    try {
      for await (const found of readRanges(this.client, ranges, reading)) {
        await this.#take(found);
        if (report.stopped !== undefined) break;
      }
    } catch (error) {
      report.stopped ??= this.signal.aborted ? BY_SIGNAL : { by: 'error', reason: reasonOf(error) };
    }
    if (this.options.isDryRun) return report;
    try {
      await this.progress.save();
    } catch (error) {
      const reason = `the progress could not be stored (${reasonOf(error)}): the last ${this.#unsaved} letters that were sent may be sent again`;
      report.stopped = { by: 'error', reason };
    }
    return report;
  }

  async #take(found: Found): Promise<void> {
    const { queue } = found;
    const progress = this.#progressOf.get(queueKey(queue));
    if (progress === undefined) return;
    if (found.kind === 'removed') {
      this.#noteRemoved(found);
      return;
    }
    if (found.kind === 'unreadable') {
      progress.hold(found.offset);
      this.#report.addNotSent('unreadable', found, found.reason);
      return;
    }
    const { queueOffset: offset, storeTimestamp } = found.message;
    if (progress.isDone(offset, storeTimestamp)) {
      this.#report.redrivenBefore += 1;
      progress.pass(offset);
      return;
    }
    const letter = readLetter(queue, found.message);
    if (letter === undefined) progress.pass(offset);
    else await this.#redrive(letter, progress);
  }

  async #redrive(letter: Letter, progress: QueueProgress): Promise<void> {
    const { filter, rules, limit } = this.options;
    const report = this.#report;
    const filtered = rejectedBy(letter, filter);
    if (filtered !== undefined) {
      report.addFiltered(filtered);
      progress.hold(letter.offset);
      return;
    }
    const plan = planLetter(letter, rules);
    if (plan.kind === 'left') {
      report.addNotSent(plan.reason, letter, plan.detail);
      progress.hold(letter.offset);
      return;
    }
    if (report.sent >= limit) {
      report.stopped = { by: 'limit', reason: `${limit} letters were sent, as --limit says` };
      return;
    }
    if (this.options.isDryRun) report.addSent(plan.topic);
    else await this.#send(letter, plan, progress);
  }

  async #send(letter: Letter, plan: Extract<LetterPlan, { kind: 'send' }>, progress: QueueProgress): Promise<void> {
    const report = this.#report;
    await this.#keepRate();
    if (this.signal.aborted) {
      report.stopped = BY_SIGNAL;
      return;
    }
    this.progress.stay();
    const outcome = await this.#sender.send(plan.topic, plan.queue, laneOf(letter), plan.message);
    this.#unknownInARow = outcome.kind === 'unknown' ? this.#unknownInARow + 1 : 0;
    if (outcome.kind === 'sent') {
      report.addSent(plan.topic);
      progress.done(letter.offset);
      await this.#saveSometimes();
      return;
    }
    progress.hold(letter.offset);
    report.addNotSent(outcome.kind === 'unknown' ? 'unknown-outcome' : 'failed', letter, outcome.reason);
    if (outcome.kind === 'unavailable' || this.#unknownInARow >= MAX_UNKNOWN) {
      report.stopped = { by: 'error', reason: outcome.reason };
    }
  }

  async #keepRate(): Promise<void> {
    const { ratePerSecond } = this.options;
    if (ratePerSecond === Infinity) return;
    const now = performance.now();
    this.#nextSendAt = Math.max(now, this.#nextSendAt);
    if (this.#nextSendAt > now) await pause(this.#nextSendAt - now, this.signal);
    this.#nextSendAt += 1000 / ratePerSecond;
  }

  async #saveSometimes(): Promise<void> {
    this.#unsaved += 1;
    if (this.#unsaved < SAVE_AFTER_LETTERS && performance.now() - this.#savedAt < SAVE_AFTER_MS) return;
    await this.progress.save();
    this.#unsaved = 0;
    this.#savedAt = performance.now();
  }

  #noteRemoved({ queue, from, to }: { readonly queue: Letter['queue']; readonly from: number; readonly to: number }): void {
    this.#report.addNotice(
      `Retention has removed offsets ${from} to ${to - 1} of ${queueName(queue)}; letters among them that were not redriven are lost`,
    );
  }
}

const BY_SIGNAL = { by: 'signal', reason: 'a signal asked for it' } as const;

/** Records with one key stay in order, as do those without that were one behind the other. */
function laneOf({ message, queue }: Letter): string {
  const { key } = messageToRecord({ body: NO_BODY, properties: message.rawProperties });
  if (key === undefined || key === null) return queueKey(queue);
  return typeof key === 'string' ? `text ${key}` : `bytes ${key.toString('base64')}`;
}

const NO_BODY = Buffer.alloc(0);

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
