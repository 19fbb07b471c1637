import { randomBytes } from 'node:crypto';

const PREFIX_BYTES = 10;
const COUNTERS = 0x1_00_00;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'));

/**
 * Makes message ids in the form of RocketMQ's Java client: 32 hex digits that end in the ms since the month began and a
 * counter. `mqadmin queryMsgByUniqueKey` reads the time from them. Random bytes stand for address and process id of the Java
 * client, which repeat across containers and threads.
 */
export class UniqueIds {
  #prefix = '';
  #monthStart = 0;
  #monthEnd = -Infinity;
  /** Never goes back, and runs ahead of the clock where more ids are made than a ms has counters. */
  #time = -Infinity;
  #counter = COUNTERS;
  #head = '';

  next(now = Date.now()): string {
    if (now > this.#time) this.#setTime(now);
    else if (this.#counter === COUNTERS) this.#setTime(this.#time + 1);
    const counter = this.#counter;
    this.#counter += 1;
    return this.#head + (HEX[counter >>> 8] ?? '') + (HEX[counter & 0xff] ?? '');
  }

  #setTime(time: number): void {
    if (time >= this.#monthEnd) this.#setMonth(time);
    this.#time = time;
    this.#counter = 0;
    this.#head = this.#prefix + (time - this.#monthStart).toString(16).toUpperCase().padStart(8, '0');
  }

  /** In local time, as the Java client counts. Another prefix keeps the ids of two months apart. */
  #setMonth(time: number): void {
    const date = new Date(time);
    this.#monthStart = new Date(date.getFullYear(), date.getMonth(), 1).getTime();
    this.#monthEnd = new Date(date.getFullYear(), date.getMonth() + 1, 1).getTime();
    this.#prefix = randomBytes(PREFIX_BYTES).toString('hex').toUpperCase();
  }
}
