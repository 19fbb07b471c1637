import { createHash } from 'node:crypto';
import { invalidOption } from './rpc-error.js';

/** RocketMQ's limit for the name of a consumer group. */
const MAX_GROUP_LENGTH = 120;
const DIGEST_LENGTH = 8;

/**
 * Returns the message tag that addresses `node` on `topic`. Senders and the node itself compute it alike. It replaces characters that a
 * group name may not have, and cuts long ids. Such a tag ends in a digest of the id, so two nodes never share one.
 */
export function nodeTag(topic: string, node: string): string {
  if (node === '') throw invalidOption('The node id is empty; expected at least one character');
  const maxLength = MAX_GROUP_LENGTH - topic.length - 1;
  if (maxLength < DIGEST_LENGTH + 2) {
    throw invalidOption(
      `Topic '${topic}' has ${topic.length} characters; at most ${MAX_GROUP_LENGTH - DIGEST_LENGTH - 3} leave room for a node's group`,
    );
  }
  const sanitised = node.replaceAll(/[^a-zA-Z0-9_-]/g, '_');
  if (sanitised === node && node.length <= maxLength) return node;
  const digest = createHash('sha256').update(node).digest('hex').slice(0, DIGEST_LENGTH);
  return `${sanitised.slice(0, maxLength - DIGEST_LENGTH - 1)}-${digest}`;
}

/** Returns the consumer group of `node` on `topic`, e.g. `sluice-main-rpc-gateway-1`. */
export function nodeGroup(topic: string, node: string): string {
  return `${topic}-${nodeTag(topic, node)}`;
}
