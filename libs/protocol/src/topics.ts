import { createHash } from 'node:crypto';
import { ProtocolError } from './protocol-error.js';

/** What is kept on one of Sluice's own topics, who writes it and who reads it. */
export interface TopicDefinition {
  readonly name: string;
  readonly queues: number;
  readonly writers: string;
  readonly readers: string;
  readonly holds: string;
}

export interface ClusterTopics {
  readonly log: TopicDefinition;
  readonly commands: TopicDefinition;
  readonly reports: TopicDefinition;
  readonly positions: TopicDefinition;
  readonly rpc: TopicDefinition;
}

const CLUSTER_ID_PATTERN = /^[a-zA-Z0-9_-]{1,40}$/;

/** Thrown when a cluster id cannot be part of a topic's name. */
export class ClusterIdError extends ProtocolError {
  constructor(readonly clusterId: string) {
    super('CLUSTER_ID_INVALID', `The Connect cluster's id is "${clusterId}"; allowed are 1 to 40 letters, digits, "_" and "-"`);
  }
}

/**
 * Names the topics of one Connect cluster, all in the runtime cluster.
 *
 * @throws ClusterIdError
 */
export function topicsOf(clusterId: string): ClusterTopics {
  if (!CLUSTER_ID_PATTERN.test(clusterId)) throw new ClusterIdError(clusterId);
  const name = (suffix: string): string => `sluice-${clusterId}-${suffix}`;
  return {
    log: {
      name: name('log'),
      queues: 1,
      writers: 'the leading coordinator',
      readers: 'every node, by offset',
      holds: 'leaders, members, connector configs, target states, assignments, agreed pairs, results of commands',
    },
    commands: {
      name: name('commands'),
      queues: 1,
      writers: 'gateways, the command line',
      readers: 'the leading coordinator, by offset',
      holds: 'what is to change: connectors, target states, restarts',
    },
    reports: {
      name: name('reports'),
      queues: 4,
      writers: 'every node',
      readers: 'coordinators, gateways, by offset',
      holds: 'heartbeats with incarnation, plugins, states of tasks and counters; probes of the leader',
    },
    positions: {
      name: name('positions'),
      queues: 8,
      writers: 'source runners',
      readers: 'source runners, by offset',
      holds: 'how far source tasks have read, with the generation that wrote it',
    },
    rpc: {
      name: name('rpc'),
      queues: 4,
      writers: 'any node',
      readers: 'the node that the tag names',
      holds: 'questions that change nothing, and their replies',
    },
  };
}

function spread(text: string, queues: number): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) % queues;
}

/** Returns the reports queue of a node, which its id fixes. */
export function reportsQueueOf(nodeId: string, topics: ClusterTopics): number {
  return spread(nodeId, topics.reports.queues);
}

/**
 * Returns the positions queue of a connector. Its name fixes the queue, so that a task finds what any other task of the connector wrote.
 */
export function positionsQueueOf(connector: string, topics: ClusterTopics): number {
  return spread(connector, topics.positions.queues);
}

/**
 * Makes any text fit for a group name. A character that is not allowed becomes its code point in hexadecimal between two `_`. A `_` stays,
 * except where it could begin such a code. So no two texts become the same name.
 */
export function groupNamePart(text: string): string {
  return text.replace(/_(?=[0-9a-f]+[^a-zA-Z0-9-])|[^a-zA-Z0-9_-]/gu, (char) => `_${(char.codePointAt(0) ?? 0).toString(16)}_`);
}

const MAX_GROUP_LENGTH = 120;

/** Returns the id of a node's RocketMQ clients. */
export function clientIdOf(clusterId: string, node: { readonly nodeId: string; readonly incarnation: string }): string {
  return `sluice-${clusterId}@${node.nodeId}@${node.incarnation}`;
}

/** Returns whether a client id is of the same Connect cluster as one that {@link clientIdOf} made. */
export function isSameCluster(own: string, clientId: string): boolean {
  return clientId.startsWith(own.slice(0, own.indexOf('@') + 1));
}

/** Returns the consumer group of a sink connector, shortened by a digest where it would be longer than RocketMQ allows. */
export function sinkGroupOf(clusterId: string, connector: string): string {
  return boundedGroup(`sluice-${clusterId}-sink-${groupNamePart(connector)}`);
}

/** Returns the group that pulls of the control topics name; nobody commits to it. */
export function readerGroupOf(clusterId: string): string {
  return `sluice-${clusterId}-reader`;
}

/**
 * Names the consumer group in which redrives of a dead letter topic keep their progress, and the topic for what offsets cannot say. No id of
 * a Connect cluster has a `%`, so no cluster has such names; the topic's end keeps sinks and sources away from it.
 */
export function redriveNamesOf(topic: string): { readonly group: string; readonly positions: string } {
  const suffix = '-positions';
  const group = bounded(`sluice-%redrive-${groupNamePart(topic)}`, MAX_GROUP_LENGTH - suffix.length);
  return { group, positions: group + suffix };
}

function boundedGroup(name: string): string {
  return bounded(name, MAX_GROUP_LENGTH);
}

function bounded(name: string, maxLength: number): string {
  if (name.length <= maxLength) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${name.slice(0, maxLength - digest.length - 1)}-${digest}`;
}
