import { RPC_ERROR_CODES, RpcError } from './rpc-error.js';

/** Thrown when no reply arrived by the deadline: the node is gone, slow, or the broker could not be reached (see `cause`). */
export class RpcTimeoutError extends RpcError {
  constructor(
    readonly node: string,
    readonly pattern: string,
    readonly timeoutMs: number,
    cause?: unknown,
  ) {
    super(RPC_ERROR_CODES.timeout, `Node '${node}' did not answer '${pattern}' within ${timeoutMs} ms`, {
      retriable: true,
      cause,
    });
    this.name = 'RpcTimeoutError';
  }
}
