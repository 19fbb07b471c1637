import { randomBytes } from 'node:crypto';

const PREFIX_BYTES = 11;
const SEQUENCE_DIGITS = 10;
const SEQUENCE_END = 16 ** SEQUENCE_DIGITS;

/**
 * Makes message ids in the form of RocketMQ 5: version `01` and 16 bytes in upper case hex. Random bytes stand for the MAC
 * address and process id of RocketMQ's clients, which repeat across containers and threads.
 */
export class MessageIds {
  #prefix = newPrefix();
  #sequence = 0;

  next(): string {
    if (this.#sequence === SEQUENCE_END) {
      this.#prefix = newPrefix();
      this.#sequence = 0;
    }
    const id = this.#prefix + this.#sequence.toString(16).toUpperCase().padStart(SEQUENCE_DIGITS, '0');
    this.#sequence += 1;
    return id;
  }
}

function newPrefix(): string {
  return `01${randomBytes(PREFIX_BYTES).toString('hex').toUpperCase()}`;
}
