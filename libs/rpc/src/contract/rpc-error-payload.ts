import { RPC_ERROR_CODES, RpcError } from './rpc-error.js';

/** How an error travels in a reply. */
export interface RpcErrorPayload {
  readonly code: string;
  readonly message: string;
  readonly retriable?: boolean;
  readonly details?: unknown;
}

/**
 * Turns whatever a handler threw into what the caller gets. An object with `code` and `message` passes as it is; a bare string or Nest's
 * `{status, message}` becomes `RPC_HANDLER_FAILED`. A stack never leaves the process.
 */
export function toErrorPayload(thrown: unknown): RpcErrorPayload {
  const source = unwrapRpcException(thrown);
  if (typeof source === 'string') return { code: RPC_ERROR_CODES.handlerFailed, message: source };
  if (typeof source !== 'object' || source === null) {
    return { code: RPC_ERROR_CODES.handlerFailed, message: `Handler failed with ${String(source)}` };
  }
  const fields = source as Record<string, unknown>;
  const { code, message, retriable, details } = fields;
  return {
    code: typeof code === 'string' && code !== '' ? code : RPC_ERROR_CODES.handlerFailed,
    message: typeof message === 'string' && message !== '' ? message : 'Handler failed without a message',
    ...(typeof retriable === 'boolean' ? { retriable } : {}),
    ...(details === undefined ? {} : { details }),
  };
}

/** Makes the caller's error of what {@link toErrorPayload} made. Tolerates any JSON. */
export function toRpcError(payload: unknown): RpcError {
  const { code, message, retriable, details } = toErrorPayload(payload);
  return new RpcError(code, message, { retriable: retriable ?? false, details });
}

/** Nest's RpcException is recognised by shape: its class may be loaded twice. */
function unwrapRpcException(thrown: unknown): unknown {
  if (thrown instanceof Error && 'getError' in thrown && typeof thrown.getError === 'function') {
    return (thrown as Error & { getError(): unknown }).getError();
  }
  return thrown;
}
