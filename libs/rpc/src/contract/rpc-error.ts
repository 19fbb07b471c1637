/** Names the errors of the transport itself. A handler may answer with a code of its own, so `RpcError.code` is a string. */
export const RPC_ERROR_CODES = {
  cancelled: 'RPC_CANCELLED',
  handlerFailed: 'RPC_HANDLER_FAILED',
  invalidOptions: 'RPC_INVALID_OPTIONS',
  invalidRequest: 'RPC_INVALID_REQUEST',
  malformedMessage: 'RPC_MALFORMED_MESSAGE',
  overloaded: 'RPC_OVERLOADED',
  refused: 'RPC_REFUSED',
  startupFailed: 'RPC_STARTUP_FAILED',
  stopped: 'RPC_STOPPED',
  timeout: 'RPC_TIMEOUT',
  tooLarge: 'RPC_TOO_LARGE',
  unavailable: 'RPC_UNAVAILABLE',
  unknownPattern: 'RPC_UNKNOWN_PATTERN',
} as const;

export type RpcErrorCode = (typeof RPC_ERROR_CODES)[keyof typeof RPC_ERROR_CODES];

export interface RpcErrorOptions {
  /** Whether the same request may succeed later without anybody changing it. */
  readonly retriable?: boolean;
  /** JSON value given by the answering handler, e.g. one entry per invalid field. */
  readonly details?: unknown;
  readonly cause?: unknown;
}

const brand = Symbol.for('@sluice/rpc/RpcError');

/** Thrown when a request was answered with an error, or could not be sent or answered at all. */
export class RpcError extends Error {
  readonly code: string;
  readonly retriable: boolean;
  readonly details: unknown;
  readonly [brand] = true;

  constructor(code: string, message: string, options: RpcErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RpcError';
    this.code = code;
    this.retriable = options.retriable ?? false;
    this.details = options.details;
  }
}

/** Returns whether a value is an RpcError, also of another copy of this package, where `instanceof` fails. */
export function isRpcError(value: unknown): value is RpcError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** Thrown when no reply arrived by the deadline: the node is unavailable or slow, or the broker could not be reached (see `cause`). */
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

/** Makes the error for an option or argument that names the field, the value given and what is allowed. */
export function invalidOption(message: string): RpcError {
  return new RpcError(RPC_ERROR_CODES.invalidOptions, message);
}
