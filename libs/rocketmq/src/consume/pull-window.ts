import { InvalidArgumentError } from '../errors.js';

const FIRST_GROW_AFTER = 8;
const MAX_GROW_AFTER = 1_024;

/**
 * Decides how many messages a pull asks for, so that its answer holds exactly that many and the offset of the next one is
 * known. The broker's limits differ by configuration and by whether the messages are in memory, and it announces none of
 * this. So the number falls to what an answer held when more was there. It doubles after a run of full answers, and ever
 * more rarely once doubling proved too much. It soon recovers from a single short answer, as at the end of a file.
 */
export class PullWindow {
  #asked: number;
  #fullAnswers = 0;
  #growAfter = FIRST_GROW_AFTER;
  #isGrowthOnTrial = false;

  constructor(private readonly maxMessages: number) {
    if (!Number.isInteger(maxMessages) || maxMessages < 1) {
      throw new InvalidArgumentError(`maxMessagesPerPull ${maxMessages}: expected an integer from 1`);
    }
    this.#asked = maxMessages;
  }

  get asked(): number {
    return this.#asked;
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

  /**
   * Learns from an answer with messages.
   * @returns whether it ended where the next pull in flight begins
   */
  onFound(offset: number, asked: number, answer: { readonly nextOffset: number; readonly maxOffset: number }): boolean {
    if (answer.nextOffset === offset + asked) {
      this.onFull(asked);
      return true;
    }
    if (answer.nextOffset < answer.maxOffset) {
      this.#growAfter = this.#isGrowthOnTrial ? Math.min(MAX_GROW_AFTER, this.#growAfter * 2) : FIRST_GROW_AFTER;
      this.#asked = Math.max(1, Math.min(asked, answer.nextOffset - offset));
      this.#fullAnswers = 0;
      this.#isGrowthOnTrial = false;
    }
    return false;
  }
}
