import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline, CallOptions } from '../connection/call-deadline.js';
import type { QueueRef } from '../routing/topic-route.js';
import type { RemotingCommand } from '../wire/remoting-codec.js';
import { REQUEST_CODE, type RequestCode } from '../wire/request-code.js';
import { asMap, readBodyMap, readList } from '../wire/tolerant-reader.js';
import { checkGroupName, checkNotEmpty, checkQueue } from '../routing/check-argument.js';
import { compareQueues, queueOf } from '../routing/queue-table.js';

export interface QueueLockOptions extends CallOptions {
  readonly group: string;
  /** Who holds the lock; a client may lock again what it holds. */
  readonly clientId: string;
  readonly queues: readonly QueueRef[];
}

/**
 * The locks by which the members of a group take queues for themselves, as RocketMQ's ordered consumers do. A master keeps
 * them in memory and for 60 s by default (`rocketmq.broker.rebalance.lockMaxLiveTime`): lock again well before. Nothing
 * stops a client without the lock from pulling or committing. Every call may throw the connection's errors and
 * BrokerResponseError, after which some queues may be locked.
 */
export class QueueLocks {
  constructor(private readonly cluster: ClusterAccess) {}

  /**
   * Locks the queues that no other client of the group holds.
   * @returns those that the client holds now, of the given ones @throws InvalidArgumentError, BrokerNotFoundError
   */
  async lock(options: QueueLockOptions): Promise<QueueRef[]> {
    const replies = await this.#askMasters(REQUEST_CODE.LOCK_BATCH_MQ, options);
    const locked = replies.flatMap((reply) => readList(readBodyMap(reply.body, 'locked queues'), 'lockOKMQSet'));
    return locked.map((item) => queueOf(asMap(item, 'queue'))).sort(compareQueues);
  }

  /** Gives up locks; one that the client does not hold is no error. @throws InvalidArgumentError, BrokerNotFoundError */
  async unlock(options: QueueLockOptions): Promise<void> {
    await this.#askMasters(REQUEST_CODE.UNLOCK_BATCH_MQ, options);
  }

  async #askMasters(code: RequestCode, options: QueueLockOptions): Promise<RemotingCommand[]> {
    const { group, clientId, queues } = options;
    checkGroupName(group);
    checkNotEmpty('clientId', clientId);
    for (const queue of queues) checkQueue(queue);
    const deadline = this.cluster.deadline(options);
    const byAddress = await this.#byMaster(queues, deadline);
    return Promise.all(
      [...byAddress].map(([address, mqSet]) => {
        const body = Buffer.from(JSON.stringify({ consumerGroup: group, clientId, mqSet, onlyThisBroker: false }));
        return this.cluster.call(address, { code, ext: {}, body }, deadline);
      }),
    );
  }

  async #byMaster(queues: readonly QueueRef[], deadline: CallDeadline): Promise<Map<string, QueueRef[]>> {
    const byAddress = new Map<string, QueueRef[]>();
    for (const { topic, brokerName, queueId } of queues) {
      const address = await this.cluster.queueAddress({ topic, brokerName, queueId }, deadline);
      byAddress.set(address, [...(byAddress.get(address) ?? []), { topic, brokerName, queueId }]);
    }
    return byAddress;
  }
}
