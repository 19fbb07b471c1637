import { retry } from '@sluice/time';
import { readableQueues, type RocketMqClient } from '@sluice/rocketmq';
import { isTopicUnknown } from '@sluice/rpc';
import type { ScopedLogger } from '../logging/process-logger.js';

const retryLimits = { initialMs: 500, maxMs: 5_000 } as const;

interface Startable {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an rpc endpoint, and waits while the Proxy does not know its topic. A Proxy hears of the topics of a broker that has just started later
 * than the name servers do. An endpoint starts once only, so each attempt makes another one.
 *
 * @throws RpcError when it cannot be started for another reason; the reason of `signal` when that is aborted.
 */
export async function startRpc<Endpoint extends Startable>(
  create: () => Endpoint,
  logger: Pick<ScopedLogger, 'warn'>,
  signal: AbortSignal,
): Promise<Endpoint> {
  const start = async (): Promise<Endpoint> => {
    const endpoint = create();
    try {
      await endpoint.start();
      return endpoint;
    } catch (error) {
      await endpoint.stop();
      throw error;
    }
  };
  const onRetry = (error: unknown): void => {
    logger.warn(`The proxy does not know the topic yet and is asked again: ${(error as Error).message}`);
  };
  try {
    return await retry(start, { limits: retryLimits, signal, mayRetry: isTopicUnknown, onRetry });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** Creates a node's group on the rpc topic and sets it to the end: the node receives what is sent from now on, nothing older. */
export async function prepareRpcGroup(client: RocketMqClient, group: string, topic: string): Promise<void> {
  await client.admin.createGroup({ group });
  await Promise.all(
    readableQueues(await client.routes.get(topic)).map(async (queue) => {
      await client.admin.updateOffset(group, queue, await client.admin.maxOffset(queue));
    }),
  );
}
