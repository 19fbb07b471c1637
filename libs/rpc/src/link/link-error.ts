import { isGroupMissing, isRocketMqError, TopicNotFoundError } from '@sluice/rocketmq';
import { isRpcError, RPC_ERROR_CODES, RpcError } from '../contract/rpc-error.js';

/** Yields the error and what caused it, outermost first. */
function* causesOf(error: unknown): Generator<unknown, void, undefined> {
  const maxDepth = 8;
  let cause = error;
  for (let depth = 0; cause !== undefined && depth < maxDepth; depth += 1) {
    yield cause;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
}

/** Returns whether the servers do not know the topic, or not yet after its broker has started. */
export function isTopicUnknown(error: unknown): boolean {
  return [...causesOf(error)].some((cause) => cause instanceof TopicNotFoundError);
}

/**
 * Returns what a failed call means to a caller: RPC_UNAVAILABLE (try again) or RPC_REFUSED (do not). Name servers forget the topics of a broker that
 * restarts, so an unknown topic is worth another attempt.
 */
export function toLinkError(action: string, error: unknown): RpcError {
  if (isRpcError(error)) return error;
  const isTransient = !isRocketMqError(error) || error.retriable || error instanceof TopicNotFoundError;
  const reason = error instanceof Error ? error.message : String(error);
  const code = isTransient ? RPC_ERROR_CODES.unavailable : RPC_ERROR_CODES.refused;
  return new RpcError(code, `${action} failed: ${reason}`, { retriable: isTransient, cause: error });
}

/** Returns the state of a link that failed to receive, and the error: the link creates a missing group again, so it keeps connecting. */
export function stateAfter(action: string, error: unknown): ['connecting' | 'failed', RpcError] {
  const failure = toLinkError(action, error);
  return [failure.retriable || isGroupMissing(error) ? 'connecting' : 'failed', failure];
}
