import { setTimeout as delay } from 'node:timers/promises';
import type { ScopedLogger } from '../logging/process-logger.js';
import { isTopicUnknown } from '@sluice/rpc';

const firstRetryMs = 500;
const longestRetryMs = 5000;

interface Startable {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts an rpc endpoint whose topic the name servers know. The proxy hears of the topics of a broker that has just started later than they do:
 * while it says that there is no such topic, another endpoint is made and started.
 *
 * @throws RpcError when it cannot be started for another reason; the reason of `signal` when that is aborted.
 */
export async function startRpc<Endpoint extends Startable>(
  create: () => Endpoint,
  logger: Pick<ScopedLogger, 'warn'>,
  signal: AbortSignal,
): Promise<Endpoint> {
  for (let waitMs = firstRetryMs; ; waitMs = Math.min(waitMs * 2, longestRetryMs)) {
    const endpoint = create();
    try {
      await endpoint.start();
      return endpoint;
    } catch (error) {
      await endpoint.stop();
      signal.throwIfAborted();
      if (!isTopicUnknown(error)) throw error;
      logger.warn(`The proxy does not know the topic yet and is asked again: ${(error as Error).message}`);
      await delay(waitMs, undefined, { signal });
    }
  }
}
