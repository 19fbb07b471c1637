import { InvalidArgumentError } from '../errors.js';
import { BatchSpans } from './batch-spans.js';

const FIRST_GROW_AFTER = 8;
const MAX_GROW_AFTER = 1_024;

interface FoundAnswer {
  readonly nextOffset: number;
  readonly maxOffset: number;
  /** Messages in it as they are stored: an inner batch is one, and takes many offsets. */
  readonly stored: number;
}

/** Messages differ in size a little. An answer that is much shorter than those before shows the end of a file, or another limit. */
function isMuchLess(covered: number, asked: number): boolean {
  return covered < 0.75 * asked;
}

/**
 * Decides how many messages a pull asks for, and predicts where the next one begins. Of plain messages it asks for as many as an answer
 * holds. The broker's limits differ by configuration and by whether the messages are in memory, and it announces none of
 * this. So the number falls to what an answer held when more was there. It doubles after a run of full answers, and ever
 * more rarely once doubling proved too much. A single much shorter answer after a run of full ones changes nothing.
 *
 * A broker gives inner batches whole, also where one has more messages than a pull asks for. So the prediction follows the answers there.
 */
export class PullWindow {
  #asked: number;
  #fullAnswers = 0;
  #growAfter = FIRST_GROW_AFTER;
  #isGrowthOnTrial = false;
  /** While answers have inner batches. */
  #batches: BatchSpans | undefined;
  /** Answers without an inner batch since the last one with any. */
  #plainAnswers = 0;

  constructor(private readonly maxMessages: number) {
    if (!Number.isInteger(maxMessages) || maxMessages < 1) {
      throw new InvalidArgumentError(`maxMessagesPerPull ${maxMessages}: expected an integer from 1`);
    }
    this.#asked = maxMessages;
  }

  get asked(): number {
    return this.#asked;
  }

  /** Offsets that the answer to a pull is expected to cover; undefined where only the answer can tell. */
  get span(): number | undefined {
    return this.#batches === undefined ? this.#asked : this.#batches.expected;
  }

  /**
   * Learns that the answer to a pull was longer than the client reads.
   * @returns false when nothing less can be asked for
   */
  onTooLarge(asked: number): boolean {
    this.#asked = Math.max(1, Math.min(this.#asked, Math.floor(asked / 2)));
    this.#growAfter = MAX_GROW_AFTER;
    this.#fullAnswers = 0;
    this.#isGrowthOnTrial = false;
    return asked > 1;
  }

  /**
   * Learns that an answer has bytes that are no message.
   * @param span offsets that the answer covers
   * @returns false when it held one message
   */
  onUnreadable(asked: number, span: number): boolean {
    const held = Math.min(asked, span);
    if (held <= 1) return false;
    this.#asked = Math.floor(held / 2);
    this.#growAfter = FIRST_GROW_AFTER;
    this.#fullAnswers = 0;
    this.#isGrowthOnTrial = false;
    return true;
  }

  /** Learns that an answer was as long as asked for, or may have been, where a filter hides that. */
  onFull(asked: number): void {
    this.#fullAnswers += 1;
    if (this.#isGrowthOnTrial && asked === this.#asked) this.#isGrowthOnTrial = false;
    if (this.#fullAnswers < this.#growAfter || this.#asked >= this.maxMessages) return;
    this.#asked = Math.min(this.maxMessages, this.#asked * 2);
    this.#fullAnswers = 0;
    this.#isGrowthOnTrial = true;
  }

  /** Learns from an answer with messages. */
  onFound(offset: number, asked: number, answer: FoundAnswer): void {
    const covered = answer.nextOffset - offset;
    this.#noteKind(answer.stored < covered);
    const isShort = answer.nextOffset < answer.maxOffset;
    if (this.#batches !== undefined) {
      if (isShort) this.#batches.learn(covered);
      this.onFull(asked);
    } else if (covered === asked) {
      this.onFull(asked);
    } else if (isShort && !this.#isException(asked, covered)) {
      if (this.#isGrowthOnTrial) this.#growAfter = Math.min(MAX_GROW_AFTER, this.#growAfter * 2);
      else if (isMuchLess(covered, asked)) this.#growAfter = FIRST_GROW_AFTER;
      this.#asked = Math.max(1, Math.min(asked, covered));
      this.#fullAnswers = 0;
      this.#isGrowthOnTrial = false;
    }
  }

  /** Returns whether one answer says nothing of the broker's limit. */
  #isException(asked: number, covered: number): boolean {
    if (this.#isGrowthOnTrial || this.#fullAnswers < FIRST_GROW_AFTER || !isMuchLess(covered, asked)) return false;
    this.#fullAnswers = 0;
    return true;
  }

  /** Topics of batches hold single messages too: a few of them change nothing. */
  #noteKind(hasBatches: boolean): void {
    if (hasBatches) {
      this.#plainAnswers = 0;
      if (this.#batches !== undefined) return;
      this.#batches = new BatchSpans();
      this.#asked = this.maxMessages;
      this.#growAfter = FIRST_GROW_AFTER;
      this.#fullAnswers = 0;
      this.#isGrowthOnTrial = false;
    } else if (this.#batches !== undefined) {
      this.#plainAnswers += 1;
      if (this.#plainAnswers >= FIRST_GROW_AFTER) this.#batches = undefined;
    }
  }
}
