import type { AppendOutcome, Effect, InputBody, SplitAnswer as CoreAnswer } from '@sluice/core';
import { isRpcError, RPC_ERROR_CODES, type RpcEndpoint } from '@sluice/rpc';
import { OutageLogger, type ClusterNode, type ScopedLogger } from '@sluice/node';
import { encodeLogChain, Question, type TaskConfigsAnswer, type TaskConfigsQuestion } from '@sluice/protocol';
import { BatchEncoder, SendOutcomeUnknownError } from '@sluice/rocketmq';

export interface EffectRunnerOptions {
  readonly node: ClusterNode;
  readonly rpc: RpcEndpoint;
  readonly input: (body: InputBody) => void;
  /** Asked at the moment when an append is written to its connection. */
  readonly maySend: (append: Extract<Effect, { kind: 'append' }>) => boolean;
  readonly readCommands: (readId: number, fromOffset: number, lastRequestId?: string) => void;
  readonly onExit: (effect: Extract<Effect, { kind: 'exit' }>) => void;
  readonly logger: ScopedLogger;
  readonly signal: AbortSignal;
}

const APPEND_TIMEOUT_MS = 5000;
/** Below the leader's `questionTimeoutMs`: a runner's answer, or that there is none, comes before the leader gives the question up. */
const SPLIT_TIMEOUT_MS = 10_000;

/** Carries out what `step` decided. What an effect leads to comes back as an input. */
export class EffectRunner {
  readonly #appending: OutageLogger;

  constructor(private readonly options: EffectRunnerOptions) {
    this.#appending = new OutageLogger(options.logger, 'The log takes appends again');
  }

  run(effect: Effect): void {
    const { logger } = this.options;
    switch (effect.kind) {
      case 'append':
        void this.#append(effect);
        return;
      case 'send-probe':
        void this.#probe(effect);
        return;
      case 'ask-task-configs':
        void this.#ask(effect);
        return;
      case 'read-commands':
        this.options.readCommands(effect.readId, effect.fromOffset, effect.lastRequestId);
        return;
      case 'became-leader':
        logger.info(`Leads from now on, epoch ${effect.epoch}`);
        return;
      case 'stepped-down':
        logger.info(`Leads no longer (epoch ${effect.epoch}): ${effect.reason}`);
        return;
      case 'log':
        logger[effect.level](effect.message);
        return;
      case 'exit':
        this.options.onExit(effect);
        return;
      default:
        effect satisfies never;
    }
  }

  async #append(effect: Extract<Effect, { kind: 'append' }>): Promise<void> {
    const { node, input, maySend } = this.options;
    const { appendId, logId, epoch, claimId, at, after, events } = effect;
    const batch = new BatchEncoder();
    for (const { body } of encodeLogChain({ logId, epoch, claimId, at }, after, events)) batch.add(body, '');
    const settle = (outcome: AppendOutcome, lastOffset?: number): void => {
      input({ kind: 'append.settled', appendId, outcome, ...(lastOffset === undefined ? {} : { lastOffset }) });
    };
    try {
      const { firstOffset, count } = await node.client.producer.sendBatch(node.logQueue, batch.finish(), {
        timeoutMs: APPEND_TIMEOUT_MS,
        maySend: () => maySend(effect),
      });
      this.#appending.worked();
      settle('stored', firstOffset + count - 1);
    } catch (error) {
      this.#appending.failed(`An append to the log went wrong: ${(error as Error).message}`);
      if (!(error instanceof SendOutcomeUnknownError)) {
        settle('not-stored');
        return;
      }
      const settlement = await error.settled;
      settle(settlement.kind === 'stored' ? 'stored' : settlement.kind === 'failed' ? 'not-stored' : 'unknown');
    }
  }

  async #probe({ queue, sentAt }: Extract<Effect, { kind: 'send-probe' }>): Promise<void> {
    const { node, logger, signal } = this.options;
    try {
      await node.reports.sendProbe(queue, { ...node.self, sentAt }, signal);
    } catch (error) {
      logger.debug(`A probe of reports queue ${queue} was not sent: ${(error as Error).message}`);
    }
  }

  async #ask(effect: Extract<Effect, { kind: 'ask-task-configs' }>): Promise<void> {
    const { nodeId, connector, configVersion } = effect;
    const answer = await this.#taskConfigs(effect);
    this.options.input({ kind: 'task-configs.answered', connector, configVersion, nodeId, answer });
  }

  async #taskConfigs({ nodeId, connector, config }: Extract<Effect, { kind: 'ask-task-configs' }>): Promise<CoreAnswer> {
    const { rpc, logger, signal } = this.options;
    const question: TaskConfigsQuestion = { config };
    try {
      const target = { node: nodeId, pattern: Question.taskConfigs };
      const answer = (await rpc.request(target, question, {
        timeoutMs: SPLIT_TIMEOUT_MS,
        signal,
      })) as TaskConfigsAnswer;
      return 'tasks' in answer ? { kind: 'tasks', tasks: answer.tasks } : { kind: 'error', error: answer.error };
    } catch (error) {
      logger.warn(`${nodeId} did not split ${connector}: ${(error as Error).message}`);
      const isUnknown = isRpcError(error) && error.code === RPC_ERROR_CODES.unknownPattern;
      return { kind: isUnknown ? 'no-such-plugin' : 'timeout' };
    }
  }
}
