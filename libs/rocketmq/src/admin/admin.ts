import { type ClusterAccess } from '../client/cluster-access.js';
import { type CallDeadline, type CallOptions } from '../connection/call-deadline.js';
import { type ClusterInfo, type QueueRef, type TopicRoute } from '../routing/topic-route.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import {
  consumerConnections,
  createGroup,
  deleteGroup,
  listGroups,
  type ConsumerConnection,
  type CreateGroupOptions,
} from './group-admin.js';
import {
  consumeStats,
  offsetByTime,
  queryOffset,
  queueEnd,
  topicStats,
  updateOffset,
  type QueueConsumeStats,
  type QueueStats,
  type TimeBoundary,
} from './offset-admin.js';
import {
  createTopic,
  deleteTopic,
  listTopics,
  topicConfig,
  type CreateTopicOptions,
  type TopicConfig,
} from './topic-admin.js';

const TOPIC_CHANGE_MS = 10_000;

/**
 * Administration over the remoting protocol. What changes something goes to every master that it concerns, since
 * brokers keep topics and groups each for itself. Every call may throw the connection's errors and BrokerResponseError.
 */
export class Admin {
  constructor(private readonly cluster: ClusterAccess) {}

  /** Changes of topics take several requests one after the other. */
  #topicDeadline(options: CallOptions | undefined): CallDeadline {
    return this.cluster.deadline(options, Math.max(TOPIC_CHANGE_MS, this.cluster.requestTimeoutMs));
  }

  /**
   * Creates or updates a topic and returns when a name server routes to it (default limit 10 s). A topic that is as wanted is not touched.
   * @throws InvalidArgumentError, BrokerNotFoundError
   */
  async createTopic(options: CreateTopicOptions): Promise<void> {
    await createTopic(this.cluster, options, this.#topicDeadline(options));
  }

  /** Deletes a topic on all masters and name servers; one that does not exist is no error. */
  async deleteTopic(topic: string, options?: CallOptions): Promise<void> {
    await deleteTopic(this.cluster, topic, this.#topicDeadline(options));
  }

  /** The route, asked of the name servers now. @throws TopicNotFoundError */
  async topicRoute(topic: string, options?: CallOptions): Promise<TopicRoute> {
    return this.cluster.routes.refresh(topic, this.cluster.deadline(options));
  }

  /** The topic's settings by broker name; brokers without the topic are missing. */
  async topicConfig(topic: string, options?: CallOptions): Promise<ReadonlyMap<string, TopicConfig>> {
    return topicConfig(this.cluster, topic, this.cluster.deadline(options));
  }

  /** All topics, the system's own included, sorted. */
  async listTopics(options?: CallOptions): Promise<string[]> {
    return listTopics(this.cluster, this.cluster.deadline(options));
  }

  async clusterInfo(options?: CallOptions): Promise<ClusterInfo> {
    return this.cluster.clusterInfo(this.cluster.deadline(options));
  }

  /** Creates a consumer group on the masters, or sets an existing one to these settings. */
  async createGroup(options: CreateGroupOptions): Promise<void> {
    await createGroup(this.cluster, options, this.cluster.deadline(options));
  }

  /** Deletes a consumer group and, unless they are to be kept, its offsets. */
  async deleteGroup(group: string, options?: CallOptions & { readonly isOffsetKept?: boolean }): Promise<void> {
    await deleteGroup(this.cluster, group, options?.isOffsetKept ?? false, this.cluster.deadline(options));
  }

  async listGroups(options?: CallOptions): Promise<string[]> {
    return listGroups(this.cluster, this.cluster.deadline(options));
  }

  async groupExists(group: string, options?: CallOptions): Promise<boolean> {
    return (await this.listGroups(options)).includes(group);
  }

  async consumerConnections(group: string, options?: CallOptions): Promise<ConsumerConnection[]> {
    return consumerConnections(this.cluster, group, this.cluster.deadline(options));
  }

  /** The end of what can be pulled now; it trails the answer to a send by some ms. */
  async maxOffset(queue: QueueRef, options?: CallOptions): Promise<number> {
    return queueEnd(this.cluster, REQUEST_CODE.GET_MAX_OFFSET, queue, this.cluster.deadline(options));
  }

  /** The offset of the first message that is still there. */
  async minOffset(queue: QueueRef, options?: CallOptions): Promise<number> {
    return queueEnd(this.cluster, REQUEST_CODE.GET_MIN_OFFSET, queue, this.cluster.deadline(options));
  }

  /** An offset by store time, in ms since the epoch. `boundary` (default `lower`) needs RocketMQ 5. */
  async offsetByTime(
    queue: QueueRef,
    timestampMs: number,
    options?: CallOptions & { readonly boundary?: TimeBoundary },
  ): Promise<number> {
    const boundary = options?.boundary ?? 'lower';
    return offsetByTime(this.cluster, queue, timestampMs, boundary, this.cluster.deadline(options));
  }

  /** What the group committed for the queue; undefined when it never did. */
  async queryOffset(group: string, queue: QueueRef, options?: CallOptions): Promise<number | undefined> {
    return queryOffset(this.cluster, group, queue, this.cluster.deadline(options));
  }

  /** Commits an offset. The last write wins: brokers fence nobody. */
  async updateOffset(group: string, queue: QueueRef, offset: number, options?: CallOptions): Promise<void> {
    await updateOffset(this.cluster, group, queue, offset, this.cluster.deadline(options));
  }

  /** Per queue, over all brokers of the topic. @throws TopicNotFoundError */
  async topicStats(topic: string, options?: CallOptions): Promise<QueueStats[]> {
    return topicStats(this.cluster, topic, this.cluster.deadline(options));
  }

  /** Per queue that the group consumes, of one topic or all. */
  async consumeStats(group: string, options?: CallOptions & { readonly topic?: string }): Promise<QueueConsumeStats[]> {
    return consumeStats(this.cluster, group, options?.topic, this.cluster.deadline(options));
  }
}
