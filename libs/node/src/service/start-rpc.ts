import { retry } from '@sluice/time';
import type { ScopedLogger } from '../logging/process-logger.js';
import { isTopicUnknown } from '@sluice/rpc';

const retryLimits = { initialMs: 500, maxMs: 5_000 } as const;

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
