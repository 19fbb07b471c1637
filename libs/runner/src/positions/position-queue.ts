import { firstOffsetOf, type PositionQueueCopy, type ScopedLogger, SLICE_MS } from '@sluice/node';
import { setImmediate as turn } from 'node:timers/promises';
import { ConnectorPositions, decodePosition, entryDigest, MalformedMessageError, type ConnectorPositionsCopy } from '@sluice/protocol';
import type { PullResult, StoredMessage } from '@sluice/rocketmq';
import { RunnerError } from '../runner-error.js';

/** Pulls at an offset; waits up to `suspendMs` where nothing is there yet. */
export type PullPositions = (offset: number, suspendMs: number) => Promise<PositionsPull>;

export type PositionsPull = Pick<PullResult, 'kind' | 'nextOffset' | 'minOffset' | 'maxOffset'> & {
  readonly messages: readonly Pick<StoredMessage, 'queueOffset' | 'storeTimestamp' | 'body'>[];
};

/** Thrown when a broker has acknowledged a message and does not show it. */
export class QueueNotShownError extends RunnerError {
  constructor(message: string) {
    super('POSITIONS_NOT_SHOWN', message, true);
  }
}

/** A broker acknowledges a message a moment before it shows it: a pull waits this long for it. */
const SUSPEND_MS = 500;
const MAX_WAITS = 20;

/**
 * Folds one positions queue. Each pull begins with the last message that was folded. Where that is another one now, or gone, the queue was cut or
 * created again: it is read from its beginning.
 */
export class PositionQueue {
  #next = 0;
  #digest: string | undefined;
  #min = 0;
  #folded = new Map<string, ConnectorPositions>();
  /** Reads follow each other. */
  #reading: Promise<void> = Promise.resolve();

  constructor(
    private readonly queueId: number,
    /** Names the queue in what is logged. */
    private readonly name: string,
    private readonly pull: PullPositions,
    private readonly logger: ScopedLogger,
  ) {}

  restore({ nextOffset, digest, connectors }: PositionQueueCopy): void {
    this.#next = nextOffset;
    this.#digest = digest;
    this.#folded = new Map(connectors.map((copy) => [copy.connector, ConnectorPositions.restore(copy)]));
  }

  /** Copies what is folded; yields to the event loop between connectors. */
  async copy(): Promise<PositionQueueCopy> {
    const { queueId } = this;
    const nextOffset = this.#next;
    const digest = this.#digest;
    const connectors: ConnectorPositionsCopy[] = [];
    let startedAt = performance.now();
    for (const positions of [...this.#folded.values()]) {
      connectors.push(positions.copy());
      if (performance.now() - startedAt < SLICE_MS) continue;
      await turn();
      startedAt = performance.now();
    }
    return { queueId, nextOffset, ...(digest === undefined ? {} : { digest }), connectors };
  }

  get(connector: string): ConnectorPositions | undefined {
    return this.#folded.get(connector);
  }

  /** The offsets that the queue had when it was read last; the end is exclusive. */
  get bounds(): { readonly minOffset: number; readonly endOffset: number } {
    return { minOffset: this.#min, endOffset: this.#next };
  }

  /** Folds everything before offset `end`; without it, everything that is there now. */
  readUpTo(end?: number): Promise<void> {
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#foldUpTo(end));
    return this.#reading;
  }

  async #foldUpTo(end: number | undefined): Promise<void> {
    let goal = end;
    /** Pulled behind the last message, and folded once that one was seen again. */
    let following: PositionsPull['messages'] = [];
    /** Where reading restarted, with nothing folded since. */
    let begunAt: number | undefined;
    for (let waits = 0; ;) {
      const before = this.#next;
      const from = this.#digest === undefined ? before : before - 1;
      const answer = await this.pull(from, 0);
      this.#min = answer.minOffset;
      const broken = this.#whyBroken(answer);
      if (broken !== undefined) {
        if (begunAt === this.#next) {
          throw new QueueNotShownError(`Positions queue ${this.name} cannot be read from its beginning: ${broken}`);
        }
        this.logger.warn(`Positions queue ${this.name} was cut or created again: ${broken}. It is read from its beginning`);
        this.#next = begunAt = firstOffsetOf(answer);
        this.#digest = undefined;
        this.#folded = new Map();
        goal = end;
        following = [];
        continue;
      }
      this.#skipExpired(answer);
      goal ??= answer.maxOffset;
      for (const message of [...answer.messages, ...following]) {
        if (message.queueOffset >= this.#next) this.#fold(message);
      }
      following = [];
      if (this.#next >= goal) return;
      if (this.#next > before) continue;
      // A large message fills an answer alone: what follows it has to be asked for.
      following = (await this.pull(before, SUSPEND_MS)).messages;
      waits = following.length > 0 ? 0 : waits + 1;
      if (waits <= MAX_WAITS) continue;
      const offset = String(this.#next);
      throw new QueueNotShownError(`Positions queue ${this.name} shows nothing at offset ${offset} although it reaches to ${goal}`);
    }
  }

  /** Why this is not the queue that was read before; undefined where nothing says so. */
  #whyBroken({ messages, minOffset, maxOffset }: PositionsPull): string | undefined {
    const last = this.#next - 1;
    if (maxOffset < this.#next) return `it ends at offset ${maxOffset}, before what was read of it (${last})`;
    if (this.#digest === undefined || last < minOffset) return undefined;
    const [first] = messages;
    if (first?.queueOffset !== last || entryDigest(first.body) === this.#digest) return undefined;
    return `the message at offset ${last} is another one`;
  }

  /** Whoever has positions writes them again before retention takes them: what stands behind is complete. */
  #skipExpired({ messages, nextOffset, minOffset, maxOffset }: PositionsPull): void {
    // A broker that misses what should be there skips it.
    const min = firstOffsetOf({ minOffset, maxOffset });
    const first = messages.length === 0 ? Math.max(min, Math.min(nextOffset, maxOffset)) : min;
    if (first < this.#next || (first === this.#next && first !== min) || first === 0) return;
    if (first > this.#next && this.#next > 0) {
      const [from, to] = [String(this.#next), String(first - 1)];
      this.logger.warn(`Retention has taken offsets ${from} to ${to} of positions queue ${this.name} before they were read`);
    }
    this.#next = first;
    this.#digest = undefined;
  }

  #fold({ queueOffset: offset, storeTimestamp: storedAtMs, body }: PositionsPull['messages'][number]): void {
    this.#next = offset + 1;
    this.#digest = entryDigest(body);
    try {
      const message = decodePosition(body);
      let positions = this.#folded.get(message.connector);
      if (positions === undefined) {
        positions = new ConnectorPositions(message.connector);
        this.#folded.set(message.connector, positions);
      }
      const { connector, index, generation } = message;
      if (positions.apply(message, { storedAtMs, offset })) return;
      this.logger.warn(
        `Offset ${offset} of the positions is ignored: generation ${generation} of task ${connector}-${index} has been replaced`,
      );
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.logger.warn(`Offset ${offset} of the positions is skipped: ${error.message}`);
    }
  }
}
