import type { ClusterAccess } from '../routing/cluster-access.js';
import type { CallDeadline, CallOptions } from '../connection/call-deadline.js';
import type { ClusterInfo, QueueRef, TopicRoute } from '../routing/topic-route.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { BrokerAdmin } from './broker-admin.js';
import { checkTopicName } from '../routing/check-argument.js';
import {
  consumerConnections,
  consumerRunningInfo,
  producerConnections,
  type ClientConnection,
  type ConsumerRunningInfo,
} from './client-connections.js';
import {
  createGroup,
  deleteGroup,
  groupConfig,
  groupsOfTopic,
  listGroups,
  topicsOfGroup,
  updateGroup,
  type CreateGroupOptions,
  type UpdateGroupOptions,
} from './group-admin.js';
import { groupsOn, type GroupConfig, type GroupTable } from './group-config.js';
import { MessageQuery, type MessagePuller } from './message-query.js';
import { NameServerAdmin } from './name-server-admin.js';
import { cloneOffsets, offsetByTime, queryOffset, queueEnd, updateOffset, type TimeBoundary } from './offset-admin.js';
import { resetOffsets, resetQueueOffset, type QueueOffset, type ResetTarget } from './offset-reset.js';
import { consumeStats, progressOf, topicStats, type GroupProgress, type QueueConsumeStats, type QueueStats } from './queue-stats.js';
import {
  createTopic,
  deleteTopic,
  listTopics,
  topicClusters,
  topicConfig,
  updateTopic,
  type CreateTopicOptions,
  type UpdateTopicOptions,
} from './topic-admin.js';
import { topicTable, type TopicConfig, type TopicTable } from './topic-config.js';

const CHANGE_MS = 10_000;

/**
 * Administers a cluster over the remoting protocol. Each broker keeps topics and groups for itself, so a change goes to
 * every master that it concerns. When one master fails, others may be changed already. Every call may throw the
 * connection's errors and BrokerResponseError, UnsupportedByBrokerError among them.
 */
export class Admin {
  readonly brokers: BrokerAdmin;
  readonly nameServers: NameServerAdmin;
  readonly messages: MessageQuery;

  constructor(
    private readonly cluster: ClusterAccess,
    consumer: MessagePuller,
  ) {
    this.brokers = new BrokerAdmin(cluster);
    this.nameServers = new NameServerAdmin(cluster);
    this.messages = new MessageQuery(cluster, consumer);
  }

  /** Changes of topics and resets take several requests one after the other. */
  #changeDeadline(options: CallOptions | undefined): CallDeadline {
    return this.cluster.deadline(options, Math.max(CHANGE_MS, this.cluster.requestTimeoutMs));
  }

  /**
   * Creates a topic or sets an existing one to these settings, and returns when a name server routes to it (default limit
   * 10 s). A topic that is as wanted is not touched.
   * @throws InvalidArgumentError, BrokerNotFoundError; UnsupportedByBrokerError for attributes on brokers before 5.0
   */
  async createTopic(options: CreateTopicOptions): Promise<void> {
    await createTopic(this.cluster, options, this.#changeDeadline(options));
  }

  /**
   * Changes a topic where it exists (default limit 10 s). Routes show it some ms later.
   * @throws InvalidArgumentError, BrokerNotFoundError; TopicNotFoundError when none of the brokers has it;
   * UnsupportedByBrokerError for attributes on brokers before 5.0
   */
  async updateTopic(options: UpdateTopicOptions): Promise<void> {
    await updateTopic(this.cluster, options, this.#changeDeadline(options));
  }

  /** Deletes a topic on all masters and name servers; one that does not exist is no error. */
  async deleteTopic(topic: string, options?: CallOptions): Promise<void> {
    await deleteTopic(this.cluster, topic, this.#changeDeadline(options));
  }

  /** Returns the route, asked of the name servers now. @throws TopicNotFoundError */
  async topicRoute(topic: string, options?: CallOptions): Promise<TopicRoute> {
    return this.cluster.routes.refresh(topic, this.cluster.deadline(options));
  }

  /** Returns the clusters whose brokers hold the topic, sorted. @throws TopicNotFoundError */
  async topicClusters(topic: string, options?: CallOptions): Promise<string[]> {
    checkTopicName(topic);
    return topicClusters(this.cluster, topic, this.cluster.deadline(options));
  }

  /** Returns the topic's settings by broker name; brokers without the topic are missing. */
  async topicConfig(topic: string, options?: CallOptions): Promise<ReadonlyMap<string, TopicConfig>> {
    checkTopicName(topic);
    return topicConfig(this.cluster, topic, this.cluster.deadline(options));
  }

  /** Returns all topics of one broker with their settings. @throws BrokerNotFoundError */
  async topicTable(brokerName: string, options?: CallOptions): Promise<TopicTable> {
    const deadline = this.cluster.deadline(options);
    return topicTable(this.cluster, await this.cluster.masterAddress(brokerName, deadline), deadline);
  }

  /** Returns all topics, the system's own included, or those of one cluster; sorted. Empty for an unknown cluster. */
  async listTopics(options?: CallOptions & { readonly cluster?: string }): Promise<string[]> {
    return listTopics(this.cluster, options?.cluster, this.cluster.deadline(options));
  }

  async clusterInfo(options?: CallOptions): Promise<ClusterInfo> {
    return this.cluster.clusterInfo(this.cluster.deadline(options));
  }

  /**
   * Creates a consumer group on the masters, or sets an existing one to these settings.
   * @throws InvalidArgumentError; UnsupportedByBrokerError for settings that brokers before 5.0 do not have
   */
  async createGroup(options: CreateGroupOptions): Promise<void> {
    await createGroup(this.cluster, options, this.cluster.deadline(options));
  }

  /**
   * Changes a group where it exists.
   * @throws InvalidArgumentError; GroupNotFoundError when no master has it; UnsupportedByBrokerError for settings that
   * brokers before 5.0 do not have
   */
  async updateGroup(options: UpdateGroupOptions): Promise<void> {
    await updateGroup(this.cluster, options, this.cluster.deadline(options));
  }

  /**
   * Deletes a consumer group and, unless they are to be kept, its offsets (brokers before 4.9 keep them always). Its retry
   * and dead letter topics stay: `%RETRY%<group>`, `%DLQ%<group>`.
   */
  async deleteGroup(group: string, options?: CallOptions & { readonly isOffsetKept?: boolean }): Promise<void> {
    await deleteGroup(this.cluster, group, options?.isOffsetKept ?? false, this.cluster.deadline(options));
  }

  /** Returns the group's settings by broker name; brokers without the group are missing. */
  async groupConfig(group: string, options?: CallOptions): Promise<ReadonlyMap<string, GroupConfig>> {
    return groupConfig(this.cluster, group, this.cluster.deadline(options));
  }

  /** Returns all groups of one broker with their settings. @throws BrokerNotFoundError */
  async groupTable(brokerName: string, options?: CallOptions): Promise<GroupTable> {
    const deadline = this.cluster.deadline(options);
    return groupsOn(this.cluster, await this.cluster.masterAddress(brokerName, deadline), deadline);
  }

  async listGroups(options?: CallOptions): Promise<string[]> {
    return listGroups(this.cluster, this.cluster.deadline(options));
  }

  async groupExists(group: string, options?: CallOptions): Promise<boolean> {
    return (await this.listGroups(options)).includes(group);
  }

  /** Groups with members or offsets for the topic, sorted. @throws TopicNotFoundError */
  async groupsOfTopic(topic: string, options?: CallOptions): Promise<string[]> {
    return groupsOfTopic(this.cluster, topic, this.cluster.deadline(options));
  }

  /** Returns topics for which the group has offsets, sorted. @throws UnsupportedByBrokerError for brokers before 5.0 */
  async topicsOfGroup(group: string, options?: CallOptions): Promise<string[]> {
    return topicsOfGroup(this.cluster, group, this.cluster.deadline(options));
  }

  /** Returns the clients that are in the group now, each once. Empty for an unknown group. Asks only the master of `queue` where one is given. */
  async consumerConnections(group: string, options?: CallOptions & { readonly queue?: QueueRef }): Promise<ClientConnection[]> {
    return consumerConnections(this.cluster, group, options?.queue, this.cluster.deadline(options));
  }

  /** Returns clients that said in their heartbeats that they produce under this name, each once. Empty for an unknown name. */
  async producerConnections(producerGroup: string, options?: CallOptions): Promise<ClientConnection[]> {
    return producerConnections(this.cluster, producerGroup, this.cluster.deadline(options));
  }

  /** Returns what a consumer says of itself, through its broker; undefined when no master knows it in the group. */
  async consumerRunningInfo(
    options: CallOptions & { readonly group: string; readonly clientId: string; readonly isStackIncluded?: boolean },
  ): Promise<ConsumerRunningInfo | undefined> {
    return consumerRunningInfo(this.cluster, options, this.#changeDeadline(options));
  }

  /** Returns the end of what can be pulled now; it trails the answer to a send by some ms. */
  async maxOffset(queue: QueueRef, options?: CallOptions): Promise<number> {
    return queueEnd(this.cluster, REQUEST_CODE.GET_MAX_OFFSET, queue, this.cluster.deadline(options));
  }

  /** Returns the offset of the first message that is still there. */
  async minOffset(queue: QueueRef, options?: CallOptions): Promise<number> {
    return queueEnd(this.cluster, REQUEST_CODE.GET_MIN_OFFSET, queue, this.cluster.deadline(options));
  }

  /**
   * Returns an offset by store time, in ms since the epoch. Brokers before 5.1.4 do not read `boundary` (default `lower`) and
   * answer the message that is nearest in time.
   */
  async offsetByTime(queue: QueueRef, timestampMs: number, options?: CallOptions & { readonly boundary?: TimeBoundary }): Promise<number> {
    const boundary = options?.boundary ?? 'lower';
    return offsetByTime(this.cluster, queue, timestampMs, boundary, this.cluster.deadline(options));
  }

  /** Returns what the group committed for the queue; undefined when it never did. Brokers before 5.0 may answer 0 for that. */
  async queryOffset(group: string, queue: QueueRef, options?: CallOptions): Promise<number | undefined> {
    return queryOffset(this.cluster, group, queue, this.cluster.deadline(options));
  }

  /** Commits an offset. The last write wins: brokers fence nobody. */
  async updateOffset(group: string, queue: QueueRef, offset: number, options?: CallOptions): Promise<void> {
    await updateOffset(this.cluster, group, queue, offset, this.cluster.deadline(options));
  }

  /**
   * Resets the offsets of a group in all queues of a topic (default limit 10 s). RocketMQ 5.2 and later does it in the broker
   * (`useServerSideResetOffset`), running consumers included: until one has pulled, its commits are refused. Older brokers
   * pass it on to running Java consumers; for a group without any, offsets are committed from here. Brokers with ACL 2.0
   * let only those reset who may get the cluster's settings.
   * @returns the new offsets, by queue @throws InvalidArgumentError, TopicNotFoundError
   */
  async resetOffsets(
    options: CallOptions & { readonly group: string; readonly topic: string; readonly to: ResetTarget },
  ): Promise<QueueOffset[]> {
    return resetOffsets(this.cluster, options, this.#changeDeadline(options));
  }

  /**
   * Resets the offset of a group in one queue (default limit 10 s), as `resetOffsets` does.
   * @throws InvalidArgumentError also for an offset outside of the queue, TopicNotFoundError; UnsupportedByBrokerError for
   * a running group on a broker without server-side reset
   */
  async resetQueueOffset(
    options: CallOptions & { readonly group: string; readonly queue: QueueRef; readonly offset: number },
  ): Promise<void> {
    await resetQueueOffset(this.cluster, options, this.#changeDeadline(options));
  }

  /**
   * Gives the group `to` the offsets that the group `from` has for a topic; without any of `from`, those of `to` stay.
   * @throws InvalidArgumentError, TopicNotFoundError
   */
  async cloneOffsets(options: CallOptions & { readonly from: string; readonly to: string; readonly topic: string }): Promise<void> {
    await cloneOffsets(this.cluster, options, this.cluster.deadline(options));
  }

  /** Per queue, over all brokers of the topic. @throws TopicNotFoundError */
  async topicStats(topic: string, options?: CallOptions): Promise<QueueStats[]> {
    return topicStats(this.cluster, topic, this.cluster.deadline(options));
  }

  /** Per queue that the group consumes, of one topic or all. */
  async consumeStats(group: string, options?: CallOptions & { readonly topic?: string }): Promise<QueueConsumeStats[]> {
    return consumeStats(this.cluster, group, options?.topic, this.cluster.deadline(options));
  }

  /** Returns how far the group is behind, per queue that it consumes, of one topic or all. */
  async groupProgress(group: string, options?: CallOptions & { readonly topic?: string }): Promise<GroupProgress> {
    return progressOf(await this.consumeStats(group, options));
  }
}
