import { randomUUID } from 'node:crypto';
import { onAbort, withLimit } from '@sluice/time';
import type { Command, CommandBody, CommandOutcome } from '@sluice/core';
import { encodeCommand, type ClusterTopics } from '@sluice/protocol';
import type { Producer, QueueRef } from '@sluice/rocketmq';
import type { LogUpdate } from './log-follower.js';
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

export type StateListener = (update: Pick<LogUpdate, 'state'>) => void;

const SEND_TIMEOUT_MS = 5000;

export interface SubmitOptions {
  readonly timeoutMs: number;
  /** An id that no other command has: the log keeps the result under it. */
  readonly requestId?: string;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
}

/** Puts commands into their topic and waits until the log shows their result. */
export class CommandSender {
  readonly #queue: QueueRef;

  constructor(
    private readonly client: { readonly producer: Pick<Producer, 'send'> },
    private readonly follower: { readonly subscribe: (listener: StateListener) => () => void },
    private readonly nodeId: string,
    topics: ClusterTopics,
    brokerName: string,
  ) {
    this.#queue = { topic: topics.commands.name, brokerName, queueId: 0 };
  }

  /**
   * @throws CommandUnansweredError when there is no result in time, or the command could not be sent.
   */
  submit(body: CommandBody, options: SubmitOptions): Promise<CommandOutcome> {
    const { timeoutMs, requestId = randomUUID(), signal = new AbortController().signal } = options;
    return withLimit(signal, timeoutMs, async (deadline) => {
      const answer = this.#resultOf(requestId, deadline);
      try {
        await this.#send({ ...body, requestId, sentAt: Date.now(), from: this.nodeId }, timeoutMs, deadline);
        return await answer.outcome;
      } finally {
        answer.forget();
      }
    });
  }

  /** Resolves also when the command may have been stored. */
  async #send(command: Command, timeoutMs: number, signal: AbortSignal): Promise<void> {
    try {
      const body = encodeCommand(command);
      await this.client.producer.send(this.#queue, { body }, { timeoutMs: Math.min(SEND_TIMEOUT_MS, timeoutMs), signal });
    } catch (error) {
      if (isOutcomeUnknown(error)) return;
      throw new CommandUnansweredError(`The command could not be sent: ${(error as Error).message}`, false, { cause: error });
    }
  }

  /** Waits for a result until the deadline, or until it is forgotten. */
  #resultOf(requestId: string, deadline: AbortSignal): { readonly outcome: Promise<CommandOutcome>; readonly forget: () => void } {
    const forgets: (() => void)[] = [];
    const outcome = new Promise<CommandOutcome>((resolve, reject) => {
      const look = ({ state }: Pick<LogUpdate, 'state'>): void => {
        const result = state.results.get(requestId);
        if (result !== undefined) resolve(result.outcome);
      };
      const late = (): void => {
        reject(new CommandUnansweredError('No coordinator answered in time', true));
      };
      forgets.push(this.follower.subscribe(look), onAbort(deadline, late));
      if (deadline.aborted) late();
    });
    // Where the command could not be sent, nobody waits for it.
    outcome.catch(() => undefined);
    const forget = (): void => {
      for (const each of forgets) each();
    };
    return { outcome, forget };
  }
}

function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof Error && (error as { outcome?: unknown }).outcome === 'unknown';
}
