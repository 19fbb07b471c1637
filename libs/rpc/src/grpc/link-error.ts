import { RPC_ERROR_CODES, RpcError, isRpcError } from '../rpc-error.js';
import { protocol } from './grpc-module.js';

const { Code } = protocol;

/** The broker has the message although it could not flush or replicate it in time: sending again would double it. */
const STORED_CODES: readonly number[] = [
  Code.MASTER_PERSISTENCE_TIMEOUT,
  Code.SLAVE_PERSISTENCE_TIMEOUT,
  Code.HA_NOT_AVAILABLE,
];

const TRANSIENT_PROXY_CODES: readonly number[] = [
  Code.TOO_MANY_REQUESTS,
  Code.INTERNAL_ERROR,
  Code.INTERNAL_SERVER_ERROR,
  Code.PROXY_TIMEOUT,
  Code.REQUEST_TIMEOUT,
  Code.UNRECOGNIZED_CLIENT_TYPE,
  // Name servers forget the topics of a broker that restarts, and the proxy remembers for a while that they did.
  Code.TOPIC_NOT_FOUND,
];

/** grpc's own: CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE. */
const TRANSIENT_GRPC_CODES: readonly number[] = [1, 2, 4, 8, 10, 13, 14];

function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** The error and what caused it, outermost first. */
function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (
    let cause = error;
    cause !== undefined && causes.length < 8;
    cause = cause instanceof Error ? cause.cause : undefined
  ) {
    causes.push(cause);
  }
  return causes;
}

/** What the innermost cause says: the client wraps it in sentences that only say which step failed. */
export function rootMessage(error: unknown): string {
  const root = causesOf(error).at(-1);
  return root instanceof Error ? root.message : String(root);
}

export function isStoredAlthoughFailed(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && STORED_CODES.includes(code);
}

/** In LOCAL mode the proxy gives 50001 for every broker error, so the words count too. */
export function isGroupMissing(error: unknown): boolean {
  return causesOf(error).some(
    (cause) =>
      codeOf(cause) === Code.CONSUMER_GROUP_NOT_FOUND ||
      /group.*not (exist|found)/i.test(cause instanceof Error ? cause.message : ''),
  );
}

/** The proxy does not know the topic, or not yet after its broker has started. */
export function isTopicUnknown(error: unknown): boolean {
  return causesOf(error).some((cause) => codeOf(cause) === Code.TOPIC_NOT_FOUND);
}

/** What a failed call to the proxy means to a caller: RPC_UNAVAILABLE (try again) or RPC_REFUSED (do not). */
export function toLinkError(action: string, error: unknown): RpcError {
  if (isRpcError(error)) return error;
  const code = codeOf(error);
  const isTransient = code === undefined || TRANSIENT_PROXY_CODES.includes(code) || TRANSIENT_GRPC_CODES.includes(code);
  const reason = error instanceof Error ? error.message : String(error);
  return new RpcError(
    isTransient ? RPC_ERROR_CODES.unavailable : RPC_ERROR_CODES.refused,
    `${action} failed: ${reason}`,
    {
      retriable: isTransient,
      cause: error,
    },
  );
}
