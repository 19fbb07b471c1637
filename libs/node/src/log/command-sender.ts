import { randomUUID } from 'node:crypto';
import type { CommandBody, CommandOutcome } from '@sluice/core';
import { encodeCommand, type ClusterTopics } from '@sluice/protocol';
import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';
import type { LogFollower } from './log-follower.js';
import { NodeError } from '../errors/node-error.js';

/** Thrown when a command was not answered; `mayHappen` says whether it may still be carried out. */
export class CommandUnansweredError extends NodeError {
  constructor(
    message: string,
    readonly mayHappen: boolean,
    options?: ErrorOptions,
  ) {
    super('COMMAND_UNANSWERED', message, { retriable: true, ...options });
  }
}

const SEND_TIMEOUT_MS = 5000;

/** Puts commands into their topic and waits until the log shows their result. */
export class CommandSender {
  readonly #queue: QueueRef;

  constructor(
    private readonly client: RocketMqClient,
    private readonly follower: LogFollower,
    private readonly nodeId: string,
    topics: ClusterTopics,
    brokerName: string,
  ) {
    this.#queue = { topic: topics.commands.name, brokerName, queueId: 0 };
  }

  /**
   * @param requestId - an id that no other command has; the log keeps the result under it
   * @throws CommandUnansweredError when there is no result within `timeoutMs`, or the command could not be sent.
   */
  async submit(body: CommandBody, timeoutMs: number, requestId: string = randomUUID()): Promise<CommandOutcome> {
    const deadline = AbortSignal.timeout(timeoutMs);
    const answer = this.#resultOf(requestId, deadline);
    try {
      const command = encodeCommand({ ...body, requestId, sentAt: Date.now(), from: this.nodeId });
      await this.client.producer.send(
        this.#queue,
        { body: command },
        { timeoutMs: Math.min(SEND_TIMEOUT_MS, timeoutMs), signal: deadline },
      );
    } catch (error) {
      answer.catch(() => undefined);
      if (!isOutcomeUnknown(error)) {
        throw new CommandUnansweredError(`The command could not be sent: ${(error as Error).message}`, false, {
          cause: error,
        });
      }
    }
    return answer;
  }

  #resultOf(requestId: string, deadline: AbortSignal): Promise<CommandOutcome> {
    return new Promise((resolve, reject) => {
      const unsubscribe = this.follower.subscribe(({ state }) => {
        const result = state.results.get(requestId);
        if (result === undefined) return;
        finish();
        resolve(result.outcome);
      });
      const late = (): void => {
        finish();
        reject(new CommandUnansweredError('No coordinator answered in time', true));
      };
      const finish = (): void => {
        unsubscribe();
        deadline.removeEventListener('abort', late);
      };
      deadline.addEventListener('abort', late, { once: true });
    });
  }
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof Error && (error as { outcome?: unknown }).outcome === 'unknown';
}
