import {
  decideReadOn,
  identifyQueue,
  type LastCopied,
  type ObservedQueue,
  type ReadPosition,
  type SourceProblemPolicy,
} from '@sluice/replication';
import { type LogicalMessage, logicalMessages, type PullResult, type RocketMqClient } from '@sluice/rocketmq';
import { ConnectError, ConnectErrorCode, queueKey, type QueueRef } from '@sluice/sdk';
import { traceOf } from './message-copier.js';

const REMEDY = 'source.change.policy says what to do about it: fail, resume-from-earliest or skip-and-report';

export interface QueueStartOptions {
  readonly client: RocketMqClient;
  /** Of the pulls. */
  readonly group: string;
  readonly queue: QueueRef;
  /** Where the flow has come to, or begins. */
  readonly position: ReadPosition;
  readonly policy: SourceProblemPolicy;
  /** Reports to operators what was found, and what was done about it. */
  readonly report: (text: string) => void;
}

/** Knows how far a queue of the source was read, and proves that the queue is still the same before more is read of it. */
export class QueueStart {
  readonly #options: QueueStartOptions;
  #position: ReadPosition;

  constructor(options: QueueStartOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  /** Notes the last message that was read. */
  note(message: LogicalMessage): void {
    this.#position = { offset: message.queueOffset + 1, last: traceOf(message) };
  }

  /** Notes that what lies before an offset was passed over. */
  passOver(offset: number): void {
    this.#position = { offset };
  }

  /**
   * Reports that the source has the queue no more.
   *
   * @param how in words
   * @param end where the queue ended when a broker last said so; `undefined` where none has
   * @throws {ConnectError} that names the queue, where the policy is to fail
   */
  lost(how: string, end: number | undefined): void {
    const { policy, queue, report } = this.#options;
    const { offset } = this.#position;
    const left =
      end === undefined
        ? `It was read up to offset ${offset}, and nobody knows how many messages followed`
        : `From offset ${offset} to ${Math.max(offset, end)}, ${Math.max(0, end - offset)} message(s) were not read`;
    const text = `Queue ${queueKey(queue)} of the source is missing ${how}. ${left}`;
    if (policy === 'fail') throw new ConnectError(ConnectErrorCode.positionInvalid, `${text}. ${REMEDY}`);
    report(`${text}. It is read on if it comes back`);
  }

  /** Returns whether the queue is the one that was read, and has all that was not read yet. */
  async isSame(signal: AbortSignal): Promise<boolean> {
    return identifyQueue(this.#position, await this.#observe(signal)).kind === 'same';
  }

  /**
   * Returns the offset at which reading begins or continues, as the policy says where the queue has changed.
   * @throws {ConnectError} that names the queue, where the policy is to fail; RocketMqError of the broker
   */
  async next(signal: AbortSignal): Promise<number> {
    const { policy, queue, report } = this.#options;
    const observed = await this.#observe(signal);
    const decision = decideReadOn(this.#position, observed, policy);
    if (decision.kind === 'continue') return decision.offset;
    const { kind, from, to, count, reason } = decision.problem;
    const problem = `Queue ${queueKey(queue)} of the source has changed (${kind}) from offset ${from} to ${to}, ${count} offset(s): ${reason}`;
    if (decision.kind === 'fail') {
      throw new ConnectError(ConnectErrorCode.positionInvalid, `${problem}. ${REMEDY}`);
    }
    report(
      `${problem}. It is read on at offset ${decision.offset}: ${decision.skipped} skipped, ${decision.repeated} perhaps copied twice`,
    );
    this.#position = { offset: decision.offset };
    return decision.offset;
  }

  async #observe(signal: AbortSignal): Promise<ObservedQueue> {
    const { offset, last } = this.#position;
    const answer = await this.#pull(Math.max(0, offset - 1), signal);
    const { minOffset, maxOffset } = answer;
    const previous = offset > 0 ? traceAt(offset - 1, answer) : undefined;
    const isKnown = previous !== undefined && last?.storeTime === previous.storeTime && last.idHash === previous.idHash;
    let first: LastCopied | undefined = isKnown ? previous : undefined;
    if (!isKnown && minOffset < maxOffset) first = traceAt(minOffset, await this.#pull(minOffset, signal));
    return { minOffset, maxOffset, previous, first };
  }

  #pull(offset: number, signal: AbortSignal): Promise<PullResult> {
    const { client, group, queue } = this.#options;
    return client.consumer.pull({ queue, group, offset, maxMessages: 1, signal });
  }
}

/** Returns the trace of the message at an offset; `undefined` where the broker gave another one, or none. */
function traceAt(offset: number, { messages }: PullResult): LastCopied | undefined {
  const message = logicalMessages(messages, offset).find(({ queueOffset }) => queueOffset === offset);
  return message === undefined ? undefined : traceOf(message);
}
