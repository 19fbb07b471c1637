import { checkGroupName } from '../routing/check-argument.js';
import { InvalidArgumentError } from '../errors.js';
import { MASTER_ID, type QueueRef } from '../routing/topic-route.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import { readExtInteger } from '../wire/tolerant-reader.js';
import type { ClusterAccess } from '../routing/cluster-access.js';
import { FilterCheck } from './filter-check.js';
import type { GroupMembers } from './group-members.js';
import { compileFilter, type CompiledFilter } from './message-filter.js';
import { decodePullAnswer, type PullAnswer, type PullOptions, type PullResult, type ReplicaReadMode } from './pull.js';
import { isRedirectToMaster, ReplicaReads } from './replica-reads.js';
import { QueueReader } from './queue-reader.js';
import type { QueueReaderOptions } from './queue-reader-options.js';

/** Bits of a pull's `sysFlag`. */
const PULL_FLAG = {
  /** The broker may hold the pull for `suspendTimeoutMillis` while the queue has nothing at the offset. */
  SUSPEND: 1 << 1,
  /** The pull carries its filter; without it the broker takes the one of the group's heartbeat. */
  SUBSCRIPTION: 1 << 2,
} as const;
/** The broker answers a suspended pull when its time is over at the latest, give or take its check every 5 s. */
const SUSPEND_MARGIN_MS = 7_000;

/** Reads named queues by offset: no assignment, no commit. Its readers are visible members of their groups. */
export class Consumer {
  readonly #replicas: ReplicaReads;
  readonly #filterCheck: FilterCheck;

  constructor(
    private readonly cluster: ClusterAccess,
    private readonly members: GroupMembers,
  ) {
    this.#replicas = new ReplicaReads(cluster);
    this.#filterCheck = new FilterCheck(cluster);
  }

  /**
   * Sends one pull request to the queue's master, or with `replicaReads` to a replica. `timeoutMs` defaults to the client's plus the suspension. Messages come as
   * they are stored; `logicalMessages` decompresses and unwraps them.
   * @throws UnsupportedByBrokerError for an SQL92 filter where the broker evaluates none, InvalidArgumentError for one
   * that it cannot parse, BrokerResponseError, TopicNotFoundError, BrokerNotFoundError, MalformedDataError and the connection's errors
   */
  async pull(options: PullOptions): Promise<PullResult> {
    const filter = compileFilter(options.filter);
    return decodePullAnswer(await this.#pull(options, filter, options.replicaReads), filter);
  }

  async #pull(options: PullOptions, filter: CompiledFilter, replicaReads: ReplicaReadMode | undefined): Promise<PullAnswer> {
    const { queue, offset, group, maxMessages = 32, suspendMs = 0 } = options;
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new InvalidArgumentError(`pull offset ${offset}: expected a safe integer from 0`);
    }
    const request: RemotingRequest = {
      code: REQUEST_CODE.PULL_MESSAGE,
      ext: {
        consumerGroup: group,
        topic: queue.topic,
        queueId: String(queue.queueId),
        queueOffset: String(offset),
        maxMsgNums: String(maxMessages),
        sysFlag: String(suspendMs > 0 ? PULL_FLAG.SUBSCRIPTION | PULL_FLAG.SUSPEND : PULL_FLAG.SUBSCRIPTION),
        commitOffset: '0',
        suspendTimeoutMillis: String(suspendMs),
        subscription: filter.expression,
        subVersion: '0',
        expressionType: filter.expressionType,
        bname: queue.brokerName,
      },
    };
    const deadline = this.cluster.deadline(options, this.#defaultTimeoutMs(suspendMs));
    if (!filter.isAll) await this.#filterCheck.pass(filter, queue, group, deadline);
    const replicas = replicaReads === 'suggested' ? this.#replicas : undefined;
    let brokerId = MASTER_ID;
    const ask = (): Promise<RemotingCommand> => {
      if (replicas === undefined) return this.cluster.askQueue(queue, request, deadline);
      return replicas.ask(queue, request, deadline, suspendMs).then((answered) => {
        brokerId = answered.brokerId;
        return answered.reply;
      });
    };
    let reply = await ask();
    if (reply.code === RESPONSE_CODE.SUBSCRIPTION_NOT_EXIST) {
      this.members.subscribe(group, queue.topic);
      reply = await ask();
    }
    if (isRedirectToMaster(reply)) throw this.cluster.notMasterError(reply, request, queue);
    const kind = pullKind(reply.code, filter);
    if (kind === undefined) throw this.cluster.queueError(reply, request, queue);
    const offsetDelta = reply.ext['offsetDelta'] === undefined ? 0 : readExtInteger(reply.ext, 'offsetDelta');
    const answer = {
      kind,
      nextOffset: readExtInteger(reply.ext, 'nextBeginOffset'),
      minOffset: readExtInteger(reply.ext, 'minOffset'),
      maxOffset: readExtInteger(reply.ext, 'maxOffset'),
      body: reply.body,
      brokerId,
      offsetDelta,
    };
    const isLeap = reply.code === RESPONSE_CODE.PULL_RETRY_IMMEDIATELY && leadsToNextBroker(offset, answer, offsetDelta);
    return isLeap ? { ...answer, kind: 'filtered' } : answer;
  }

  /**
   * Makes this client a visible member of a group for the next minute, on the brokers that it pulls from. `mqadmin
   * consumerConnection` and dashboards then list it by its client id. Readers do it by themselves for the group that they
   * name. For a group in whose name offsets are kept elsewhere, call it at least every 30 s. A member subscribes to nothing,
   * unless a broker lists only members that subscribe. Brokers make the group's retry topic for it, and Java consumers of
   * the same group leave it its share of the queues.
   */
  attend(group: string): void {
    checkGroupName(group);
    this.members.attend(group);
  }

  /** Returns a reader of one queue that keeps pulls in flight ahead of its caller. It does nothing before its first `next`. */
  readQueue(queue: QueueRef, options: QueueReaderOptions): QueueReader {
    const filter = compileFilter(options.filter);
    return new QueueReader(queue, options, {
      closing: this.cluster.pool.closing,
      pull: (pull) => {
        this.members.attend(options.group, queue.topic);
        return this.#pull(pull, filter, options.replicaReads);
      },
      invalidateRoute: () => {
        this.cluster.routes.invalidate(queue.topic);
      },
    });
  }

  #defaultTimeoutMs(suspendMs: number): number | undefined {
    return suspendMs > 0 ? this.cluster.requestTimeoutMs + suspendMs + SUSPEND_MARGIN_MS : undefined;
  }
}

/**
 * Returns whether an answer leads from the end of one broker's part of a static topic's queue to the next broker's first
 * message. Where retention removed that message, the answer leads elsewhere.
 */
function leadsToNextBroker(
  offset: number,
  { nextOffset, minOffset }: Pick<PullResult, 'nextOffset' | 'minOffset'>,
  offsetDelta: number,
): boolean {
  return offsetDelta > 0 && nextOffset === offsetDelta && minOffset === offsetDelta && offset < nextOffset;
}

function pullKind(code: number, filter: CompiledFilter): PullResult['kind'] | undefined {
  switch (code) {
    case RESPONSE_CODE.SUCCESS:
      return 'found';
    case RESPONSE_CODE.PULL_NOT_FOUND:
      return 'empty';
    case RESPONSE_CODE.PULL_RETRY_IMMEDIATELY:
      return filter.isAll ? 'empty' : 'filtered';
    case RESPONSE_CODE.PULL_OFFSET_MOVED:
      return 'offset-moved';
    default:
      return undefined;
  }
}
