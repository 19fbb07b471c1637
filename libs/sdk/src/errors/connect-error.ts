/** Every reason that an error of Sluice can have. Closed: a new reason is added here first. */
export const ConnectErrorCode = {
  /** Settings are missing, malformed or contradict each other. */
  configInvalid: 'CONNECT_CONFIG_INVALID',
  /** A request cannot be understood or is not allowed in this state. */
  requestInvalid: 'CONNECT_REQUEST_INVALID',
  notFound: 'CONNECT_NOT_FOUND',
  conflict: 'CONNECT_CONFLICT',
  pluginNotFound: 'CONNECT_PLUGIN_NOT_FOUND',
  /** A record cannot be represented where it should go. */
  recordInvalid: 'CONNECT_RECORD_INVALID',
  recordTooLarge: 'CONNECT_RECORD_TOO_LARGE',
  /** A schema contradicts itself, or what a builder was given. */
  schemaInvalid: 'CONNECT_SCHEMA_INVALID',
  conversionFailed: 'CONNECT_CONVERSION_FAILED',
  transformFailed: 'CONNECT_TRANSFORM_FAILED',
  sourceFailed: 'CONNECT_SOURCE_FAILED',
  sinkFailed: 'CONNECT_SINK_FAILED',
  /** A stored position does not fit what is there. */
  positionInvalid: 'CONNECT_POSITION_INVALID',
  /** Stored state is damaged or does not belong here. */
  stateInvalid: 'CONNECT_STATE_INVALID',
  /** Someone else holds what must be held by one only. */
  lockHeld: 'CONNECT_LOCK_HELD',
  /** A lease, a generation or a claim is over. */
  fenced: 'CONNECT_FENCED',
  unavailable: 'CONNECT_UNAVAILABLE',
  timeout: 'CONNECT_TIMEOUT',
  /** The work was given up because it was asked to stop. */
  stopped: 'CONNECT_STOPPED',
  internal: 'CONNECT_INTERNAL',
} as const;
export type ConnectErrorCode = (typeof ConnectErrorCode)[keyof typeof ConnectErrorCode];

export interface ConnectErrorOptions {
  readonly retriable?: boolean;
  readonly cause?: unknown;
}

const brand = Symbol.for('sluice.ConnectError');

/** The base of all errors of Sluice. The message names the thing, what was given and what is allowed. */
export class ConnectError extends Error {
  readonly code: ConnectErrorCode;
  /** True if the same call may succeed later, with nothing changed. */
  readonly retriable: boolean;

  constructor(code: ConnectErrorCode, message: string, options: ConnectErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retriable = options.retriable ?? false;
    Object.defineProperty(this, brand, { value: true });
  }
}

export interface RetriableErrorOptions {
  readonly code?: ConnectErrorCode;
  readonly cause?: unknown;
  /** Of a sink's `put`: the place in its records of the first one that was not written. The call is made again with that and those behind it. */
  readonly firstUnwritten?: number;
}

/** An error of the moment: the runtime makes the same call again after a backoff. */
export class RetriableError extends ConnectError {
  readonly firstUnwritten: number | undefined;

  constructor(message: string, options: RetriableErrorOptions = {}) {
    super(options.code ?? ConnectErrorCode.unavailable, message, { retriable: true, cause: options.cause });
    this.firstUnwritten = options.firstUnwritten;
  }
}

/** Returns whether an error is one of Sluice, also when another copy of this package made it. */
export function isConnectError(error: unknown): error is ConnectError {
  return typeof error === 'object' && error !== null && (error as Record<symbol, unknown>)[brand] === true;
}

/**
 * Returns whether the failed call may simply be made again. The mark is the property `retriable`, which also survives a copy between
 * threads and is what drivers use.
 */
export function isRetriable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && (error as { retriable?: unknown }).retriable === true;
}
