import { pause, RateLimitedLogger } from '@sluice/time';
import type { Command } from '@sluice/core';
import {
  firstOffsetOf,
  NodeError,
  REFUSED_PAUSE_MS,
  untilAnswered,
  WARNING_INTERVAL_MS,
  type ClusterNode,
  type ScopedLogger,
} from '@sluice/node';
import { OffsetOutOfRangeError, type QueueRef } from '@sluice/rocketmq';
import { decodeCommand, MalformedMessageError, readerGroupOf } from '@sluice/protocol';

export interface CommandListener {
  onCommand(readId: number, offset: number, command: Command): void;
  /** The queue is not the one that was read before; it begins at `minOffset` now. */
  onCut(readId: number, minOffset: number): void;
}

/** Reads the commands queue from where the coordinator asks. */
export class CommandReader {
  #reading = new AbortController();
  #running: Promise<void> = Promise.resolve();
  readonly #stopped = new AbortController();
  readonly #skips: RateLimitedLogger;

  constructor(
    private readonly node: ClusterNode,
    private readonly listener: CommandListener,
    private readonly logger: ScopedLogger,
  ) {
    this.#skips = new RateLimitedLogger({
      log: logger.warn.bind(logger),
      intervalMs: WARNING_INTERVAL_MS,
      signal: this.#stopped.signal,
    });
  }

  /**
   * Gives up where it was and reads from `fromOffset` on; what it reads is marked with `readId`.
   *
   * @param lastRequestId of the command before `fromOffset`.
   */
  readFrom(readId: number, fromOffset: number, lastRequestId?: string): void {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const last = lastRequestId === undefined ? undefined : { offset: fromOffset - 1, requestId: lastRequestId };
    this.#running = this.#followUnlessRefused(readId, fromOffset, { last }, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      if (error instanceof CommandsCutError) {
        this.logger.warn(error.message);
        this.listener.onCut(readId, error.minOffset);
      } else {
        this.node.fail(error as Error);
      }
    });
  }

  async stop(): Promise<void> {
    this.#reading.abort();
    await this.#running;
    this.#stopped.abort();
  }

  /** A queue that begins where it is read from already, and refuses that, is no other one: it is asked again after a pause. */
  async #followUnlessRefused(readId: number, fromOffset: number, progress: Progress, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await this.#follow(readId, fromOffset, progress, signal);
        return;
      } catch (error) {
        const isRefused = error instanceof CommandsCutError && error.minOffset === fromOffset;
        if (!isRefused || progress.last !== undefined) throw error;
        await pause(REFUSED_PAUSE_MS, signal);
      }
    }
  }

  async #follow(readId: number, fromOffset: number, progress: Progress, signal: AbortSignal): Promise<void> {
    const { client, topics, logQueue, settings } = this.node;
    const queue = { topic: topics.commands.name, brokerName: logQueue.brokerName, queueId: 0 };
    const minOffset = await untilAnswered(() => client.admin.minOffset(queue, { signal }), signal);
    const maxOffset = await untilAnswered(() => client.admin.maxOffset(queue, { signal }), signal);
    const bounds = { minOffset, maxOffset };
    if (fromOffset > maxOffset) throw new CommandsCutError(`it ends before offset ${fromOffset}`, bounds);
    await this.#check(queue, progress.last, signal);
    // Commands that retention has taken are older than any that could still be carried out.
    const from = Math.max(fromOffset, firstOffsetOf(bounds));
    const reader = client.consumer.readQueue(queue, {
      from,
      group: readerGroupOf(settings.clusterId),
      ahead: 1,
      signal,
    });
    try {
      while (!signal.aborted) {
        const messages = await reader.next();
        await this.#check(queue, progress.last, signal);
        for (const { queueOffset: offset, body } of messages) {
          const command = this.#decode(offset, body);
          progress.last = { offset, requestId: command?.requestId };
          if (command !== undefined) this.listener.onCommand(readId, offset, command);
        }
      }
    } catch (error) {
      if (!(error instanceof OffsetOutOfRangeError)) throw error;
      throw new CommandsCutError(error.message, error.range);
    } finally {
      reader.close();
    }
  }

  /** A queue that was created again and has grown since would otherwise be read on in the middle. */
  async #check(queue: QueueRef, last: Last | undefined, signal: AbortSignal): Promise<void> {
    if (last === undefined) return;
    const { offset, requestId } = last;
    const group = readerGroupOf(this.node.settings.clusterId);
    const { consumer } = this.node.client;
    const question = { queue, offset, group, maxMessages: 1, suspendMs: 0, signal };
    const answer = await untilAnswered(() => consumer.pull(question), signal);
    const message = answer.messages[0];
    const isExpired = offset < answer.minOffset;
    const isSame = message?.queueOffset === offset && this.#decode(offset, message.body)?.requestId === requestId;
    if (!isExpired && !isSame) {
      throw new CommandsCutError(`the command at offset ${offset} is another one`, answer);
    }
  }

  #decode(offset: number, body: Buffer): Command | undefined {
    try {
      return decodeCommand<Command>(body);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      this.#skips.write(`Command at offset ${offset} is skipped: ${error.message}`);
      return undefined;
    }
  }
}

/** A message that was read. */
interface Last {
  readonly offset: number;
  /** Undefined where it is not a command. */
  readonly requestId: string | undefined;
}

interface Progress {
  /** The message before the next one; undefined where none was read and none is known. */
  last: Last | undefined;
}

class CommandsCutError extends NodeError {
  readonly minOffset: number;

  constructor(reason: string, bounds: { readonly minOffset: number; readonly maxOffset: number }) {
    super('COMMANDS_CUT', `The commands queue was cut or created again: ${reason}. It is read from its beginning`);
    this.minOffset = firstOffsetOf(bounds);
  }
}
