import { queueKey } from '@sluice/sdk';
import type { QueueMessages } from '../ports/queue-messages.port.js';
import { someOf } from './some-of.js';
import type { TaskWarnings } from './task-warnings.js';

const consequences = {
  source: 'The source does not write into these queues.',
  sink: 'The sink does not get what is written into these queues.',
} as const;

/** How many queues a warning names. */
const MAX_NAMED = 3;

/** Finds queues that take records which nobody may read, and warns once of each topic that has some. */
export class UnreadableQueues {
  readonly #told = new Set<string>();

  constructor(
    private readonly messages: Pick<QueueMessages, 'unreadableQueues'>,
    private readonly warnings: Pick<TaskWarnings, 'add'>,
    private readonly kind: 'source' | 'sink',
  ) {}

  /** Returns the keys of the topic's unreadable queues. */
  async of(topic: string): Promise<ReadonlySet<string>> {
    const queues = (await this.messages.unreadableQueues(topic)).map(queueKey);
    if (queues.length === 0) this.#told.delete(topic);
    else if (!this.#told.has(topic)) {
      this.#told.add(topic);
      this.warnings.add(
        `Topic ${topic} has ${queues.length} queue(s) that may be written and not be read: ${someOf(queues, MAX_NAMED)}. ` +
          `Give it as many read queues as write queues, and permission to read. ${consequences[this.kind]}`,
      );
    }
    return new Set(queues);
  }
}
