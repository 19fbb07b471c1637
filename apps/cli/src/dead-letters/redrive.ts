import { messageToRecord } from '@sluice/protocol';
import { OffsetOutOfRangeError, type RocketMqClient, TopicNotFoundError, writableQueues } from '@sluice/rocketmq';
import { queueKey } from '@sluice/sdk';
import { pause } from '@sluice/time';
import { type Found, queueName, type QueueRange } from '../queues/queue-cursor.js';
import { type Letter, readLetter } from './letter.js';
import { type LetterFilter, rejectedBy } from './letter-filter.js';
import { type LetterPlan, planLetter, type RedriveRules } from './plan-letter.js';
import type { QueueProgress } from './queue-progress.js';
import { LOOK_GROUP, readRanges } from './read-letters.js';
import { countUndone, type QueueWork, RedriveProgress, TopicRecreatedError } from './redrive-progress.js';
import { RedriveReport } from './redrive-report.js';
import { RecordSender } from './send-record.js';

/** Which letters a redrive sends, where, and how fast. */
export interface RedriveOptions {
  readonly rules: RedriveRules;
  readonly filter: LetterFilter;
  /** Letters that it tries to send at most. */
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
/** Failed letters of so many keys end a redrive: letters behind them are held, which takes memory. */
const MAX_HELD_LANES = 10_000;

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
  readonly #workOf: ReadonlyMap<string, QueueWork>;
  /** By topic that letters were to go to: why it takes none, `undefined` where it does. */
  readonly #problemOf = new Map<string, string | undefined>();
  /** Lanes of which a letter was not sent, or perhaps not: a later one would overtake it. */
  readonly #heldLanes = new Set<string>();
  #tried = 0;
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
    this.#workOf = new Map(progress.works.map((work) => [queueKey(work.range.queue), work]));
  }

  async run(): Promise<RedriveReport> {
    const { works, group } = this.progress;
    const report = this.#report;
    for (const { removed, done } of works) if (removed !== undefined) this.#noteRemoved(removed, done);
    const reading = { group: this.options.isDryRun ? LOOK_GROUP : group, signal: this.signal };
    const ranges = works.map(({ range }) => range);
    try {
      for await (const found of readRanges(this.client, ranges, reading)) {
        await this.#take(found);
        if (report.stopped !== undefined) break;
      }
    } catch (error) {
      const isRecreated = error instanceof TopicRecreatedError || isBeforePosition(error);
      const failure = isBeforePosition(error) ? new TopicRecreatedError(this.options.rules.topic, error.message) : error;
      report.stopped ??= this.signal.aborted && !isRecreated ? BY_SIGNAL : { by: 'error', reason: reasonOf(failure) };
      // What is known is of the old topic: stored, it would hide letters of the new one.
      if (isRecreated) return report;
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
    const work = this.#workOf.get(queueKey(queue));
    if (work === undefined) return;
    const { progress } = work;
    if (found.kind === 'removed') {
      this.#noteRemoved(found, work.done);
      progress.pass(found.to - 1);
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
    if (this.#tried >= limit) {
      report.stopped = { by: 'limit', reason: this.#limitReason() };
      return;
    }
    const lane = laneOf(letter);
    if (this.#heldLanes.has(`${plan.topic} ${lane}`)) {
      report.addNotSent('behind-another', letter);
      progress.hold(letter.offset);
      return;
    }
    this.#tried += 1;
    const problem = this.options.isDryRun ? await this.#findProblem(plan.topic) : this.#problemOf.get(plan.topic);
    if (problem !== undefined) {
      report.addNoTarget(problem);
      progress.hold(letter.offset);
    } else if (this.options.isDryRun) report.addSent(plan.topic);
    else await this.#send(letter, plan, lane, progress);
  }

  #limitReason(): string {
    const { limit, isDryRun } = this.options;
    const what = this.#report.sent === this.#tried ? 'sent' : 'tried';
    const were = isDryRun ? 'would be' : limit === 1 ? 'was' : 'were';
    return `${limit} ${limit === 1 ? 'letter' : 'letters'} ${were} ${what}, as --limit says`;
  }

  /** Looks up once why a topic takes no letters; `undefined` where it takes some. @throws the errors of a request */
  async #findProblem(topic: string): Promise<string | undefined> {
    if (this.#problemOf.has(topic)) return this.#problemOf.get(topic);
    let problem: string | undefined;
    try {
      const queues = writableQueues(await this.client.routes.get(topic));
      if (queues.length === 0) problem = `topic ${topic} has no queue that takes messages`;
    } catch (error) {
      if (!(error instanceof TopicNotFoundError)) throw error;
      problem = `topic ${topic} does not exist: create it`;
    }
    this.#problemOf.set(topic, problem);
    return problem;
  }

  async #send(letter: Letter, plan: Extract<LetterPlan, { kind: 'send' }>, lane: string, progress: QueueProgress): Promise<void> {
    const report = this.#report;
    await this.#keepRate();
    if (this.signal.aborted) {
      report.stopped = BY_SIGNAL;
      return;
    }
    this.progress.stay();
    const outcome = await this.#sender.send(plan.topic, plan.queue, lane, plan.message);
    this.#unknownInARow = outcome.kind === 'unknown' ? this.#unknownInARow + 1 : 0;
    if (outcome.kind === 'sent') {
      report.addSent(plan.topic);
      progress.done(letter.offset);
      await this.#saveSometimes();
      return;
    }
    progress.hold(letter.offset);
    const problem = outcome.kind === 'refused' ? await this.#findProblem(plan.topic).catch(() => undefined) : undefined;
    if (problem !== undefined) {
      report.addNoTarget(problem);
      return;
    }
    report.addNotSent(outcome.kind === 'unknown' ? 'unknown-outcome' : 'failed', letter, outcome.reason);
    this.#heldLanes.add(`${plan.topic} ${lane}`);
    if (outcome.kind === 'unavailable' || this.#unknownInARow >= MAX_UNKNOWN) {
      report.stopped = { by: 'error', reason: outcome.reason };
    } else if (this.#heldLanes.size >= MAX_HELD_LANES) {
      report.stopped = { by: 'error', reason: `letters of ${MAX_HELD_LANES} keys were not sent; the last: ${outcome.reason}` };
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

  #noteRemoved(range: QueueRange, done: QueueWork['done']): void {
    const count = countUndone(range, done);
    if (count === 0) return;
    const { queue, from, to } = range;
    this.#report.addRemoved(range, count);
    this.#report.addNotice(
      `Retention has removed offsets ${from} to ${to - 1} of ${queueName(queue)}; letters among them that were not redriven are lost`,
    );
  }
}

const BY_SIGNAL = { by: 'signal', reason: 'a signal asked for it' } as const;

/** Returns whether a queue ends before the position of its reader, so that it is another queue. */
function isBeforePosition(error: unknown): error is OffsetOutOfRangeError {
  return error instanceof OffsetOutOfRangeError && error.range.nextOffset < error.range.offset;
}

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
