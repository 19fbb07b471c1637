import { BrokerNotFoundError, isRetriableRocketMqError, type RocketMqError } from '../errors.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import { ReadTargets, type ReadTarget } from '../routing/read-targets.js';
import { MASTER_ID, type QueueRef } from '../routing/topic-route.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import type { ClusterAccess } from '../routing/cluster-access.js';

export interface AnsweredPull {
  readonly reply: RemotingCommand;
  /** Of the broker that answered; 0 is the master. */
  readonly brokerId: number;
}

/** Sends pulls to the replica that a broker suggests, or to any while the master is unavailable. */
export class ReplicaReads {
  readonly #targets = new ReadTargets();

  constructor(private readonly cluster: ClusterAccess) {}

  /**
   * Asks the first choice and, if that fails, the second; each has half of the time that the suspension leaves.
   * @throws BrokerNotFoundError when there is no master and no replica has the answer; the errors of a request
   */
  async ask(queue: QueueRef, request: RemotingRequest, deadline: CallDeadline, suspendMs: number): Promise<AnsweredPull> {
    const broker = await this.cluster.queueBroker(queue, deadline);
    const targets = this.#targets.of(broker, queue, performance.now());
    let failure: RocketMqError | undefined;
    for (const [tried, target] of targets.entries()) {
      const isLast = tried === targets.length - 1;
      const share = isLast ? deadline : deadline.within(suspendMs + (deadline.remainingMs - suspendMs) / 2);
      try {
        const reply = await this.cluster.askBroker(queue, target.address, request, share);
        if (isFinal(target, reply)) {
          this.#targets.onAnswer(queue, target, suggestedBrokerId(reply));
          return { reply, brokerId: target.brokerId };
        }
        if (target.brokerId === MASTER_ID) failure = this.cluster.notMasterError(reply, request, queue);
        this.#targets.onFailure(queue, target, performance.now());
      } catch (error) {
        if (!isRetriableRocketMqError(error)) throw error;
        this.#targets.onFailure(queue, target, performance.now());
        failure = error;
      }
    }
    throw failure ?? new BrokerNotFoundError(queue.brokerName, [], `answers for topic '${queue.topic}'`);
  }
}

/**
 * Returns whether an answer is final. A replica's answer is final about the messages that it has, and that none follow them.
 * It is not about the queue's ends: the replica may trail its master.
 */
function isFinal(target: ReadTarget, reply: RemotingCommand): boolean {
  if (isRedirectToMaster(reply)) return false;
  switch (reply.code) {
    case RESPONSE_CODE.SUCCESS:
    case RESPONSE_CODE.PULL_NOT_FOUND:
      return true;
    case RESPONSE_CODE.PULL_RETRY_IMMEDIATELY:
      return target.brokerId === MASTER_ID || reply.remark === NO_MATCHED_MESSAGE;
    default:
      return target.brokerId === MASTER_ID;
  }
}

function suggestedBrokerId(reply: RemotingCommand): number {
  const id = Number(reply.ext['suggestWhichBrokerId']);
  return Number.isSafeInteger(id) ? id : MASTER_ID;
}

const NO_MATCHED_MESSAGE = 'NO_MATCHED_MESSAGE';
/** For these masters have other codes. */
const REDIRECT_REMARK = /^(FOUND|NO_MATCHED_LOGIC_QUEUE|NO_MESSAGE_IN_QUEUE|OFFSET_\w+)$/;

/**
 * Returns whether a replica says that the master is to be asked. Its remark is the state of its own queue, of which the header's
 * offsets are (`PullMessageProcessor` of RocketMQ).
 */
export function isRedirectToMaster(reply: Pick<RemotingCommand, 'code' | 'remark'>): boolean {
  return reply.code === RESPONSE_CODE.PULL_RETRY_IMMEDIATELY && REDIRECT_REMARK.test(reply.remark);
}
