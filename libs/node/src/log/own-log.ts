import { isOfOneOrigin } from '@sluice/core';
import type { QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { LogQueue } from './log-queue.js';
import { NodeError, restoreCommand } from '../errors/node-error.js';

/** Thrown when the topics hold another log than the one that this node has worked with. Its files stay as they are. */
export class OtherLogError extends NodeError {
  constructor(clusterId: string, known: string, found: string, directory: string) {
    super(
      'LOG_OTHER',
      `The log of Connect cluster ${clusterId} is another one (${found}) than the one that this node has worked with (${known}): its topics were ` +
        'wiped and created again, or these are the name servers of another RocketMQ. To keep what this node knows, stop all nodes, delete the ' +
        `topics of the Connect cluster and run \`${restoreCommand(clusterId, directory)}\`. To join the new one, remove ${directory}`,
    );
  }
}

/** The log of a node, as it remembers it. */
export interface KnownLog {
  readonly clusterId: string;
  /** Undefined for a node that has not read any yet. */
  readonly logId: string | undefined;
  /** Of the node's files. */
  readonly directory: string;
}

/**
 * Looks at the first entry that is there.
 * @throws OtherLogError
 */
export async function requireOwnLog(
  client: RocketMqClient,
  queue: QueueRef,
  group: string,
  { clusterId, logId, directory }: KnownLog,
  signal: AbortSignal,
): Promise<void> {
  if (logId === undefined) return;
  const source = new LogQueue(client, queue, group);
  const { minOffset, maxOffset } = await source.bounds(signal);
  if (maxOffset === 0) throw new OtherLogError(clusterId, logId, 'empty', directory);
  if (minOffset >= maxOffset) return;
  const [first] = await source.read(minOffset, minOffset + 1, signal);
  if (first === undefined || isOfOneOrigin(first.entry.logId, logId)) return;
  throw new OtherLogError(clusterId, logId, first.entry.logId, directory);
}
