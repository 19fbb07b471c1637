import { RESPONSE_CODE } from './wire/response-code.js';

/**
 * Every error that this package throws on purpose is a `RocketMqError` with one of these codes.
 * The set is closed: a `switch` over it can be exhaustive.
 */
export type RocketMqErrorCode =
  | 'INVALID_ARGUMENT'
  | 'CLIENT_CLOSED'
  | 'CONNECT_FAILED'
  | 'NAME_SERVERS_FAILED'
  | 'TLS_HANDSHAKE'
  | 'CREDENTIALS_UNAVAILABLE'
  | 'CONNECTION_CLOSED'
  | 'CONNECTION_OVERLOADED'
  | 'REQUEST_TIMEOUT'
  | 'REQUEST_ABORTED'
  | 'SEND_OUTCOME_UNKNOWN'
  | 'SENDS_FAILED'
  | 'FRAME_TOO_LARGE'
  | 'MALFORMED_DATA'
  | 'MESSAGE_TOO_LARGE'
  | 'DECOMPRESSED_TOO_LARGE'
  | 'UNSUPPORTED_COMPRESSION'
  | 'PACKAGE_MISSING'
  | 'MESSAGE_UNREADABLE'
  | 'PRODUCER_OVERLOADED'
  | 'ACK_FAILED'
  | 'FLOW_CONTROL'
  | 'BROKER_RESPONSE'
  | 'OFFSET_RESET'
  | 'UNSUPPORTED_BY_BROKER'
  | 'AUTHENTICATION'
  | 'AUTHORIZATION'
  | 'TOPIC_NOT_FOUND'
  | 'GROUP_NOT_FOUND'
  | 'BROKER_NOT_FOUND'
  | 'OFFSET_OUT_OF_RANGE';

/**
 * What is known about a request that failed.
 * `not-sent`: no byte of it was handed to the socket, or the server's answer proves that it did not execute it.
 * `unknown`: the server may have executed it, or may still do so. This is the rule for every answer that proves nothing.
 */
export type RequestOutcome = 'not-sent' | 'unknown';

const BRAND = Symbol.for('@sluice/rocketmq.error');

interface RocketMqErrorOptions {
  readonly retriable: boolean;
  /** Default `not-sent`. */
  readonly outcome?: RequestOutcome | undefined;
  readonly cause?: unknown;
}

export class RocketMqError extends Error {
  readonly code: RocketMqErrorCode;
  /** Whether the same call can succeed later without a change by the caller. */
  readonly retriable: boolean;
  readonly outcome: RequestOutcome;

  constructor(code: RocketMqErrorCode, message: string, options: RocketMqErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retriable = options.retriable;
    this.outcome = options.outcome ?? 'not-sent';
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** Works across copies of this package, unlike `instanceof`. */
export function isRocketMqError(value: unknown): value is RocketMqError {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** Returns whether an error of this package says that the same call can succeed later without a change by the caller. */
export function isRetriableRocketMqError(value: unknown): value is RocketMqError & { readonly retriable: true } {
  return isRocketMqError(value) && value.retriable;
}

export class InvalidArgumentError extends RocketMqError {
  constructor(message: string) {
    super('INVALID_ARGUMENT', message, { retriable: false });
  }
}

export class ClientClosedError extends RocketMqError {
  constructor(what: string) {
    super('CLIENT_CLOSED', `${what}: the client is closed`, { retriable: false });
  }
}

export class ConnectFailedError extends RocketMqError {
  constructor(
    readonly address: string,
    reason: string,
    cause?: unknown,
  ) {
    super('CONNECT_FAILED', `cannot connect to ${address}: ${reason}`, { retriable: true, cause });
  }
}

/** What one name server did when it was asked. */
export interface NameServerFailure {
  readonly address: string;
  readonly error: RocketMqError;
}

/**
 * None of several name servers gave an answer that can be used. A client of one name server gets that one's own error
 * instead. Retriable when one of them may answer later.
 */
export class NameServersFailedError extends RocketMqError {
  constructor(
    request: string,
    /** In the order in which they were asked; every address once. */
    readonly failures: readonly NameServerFailure[],
  ) {
    const tried = failures.map(({ address, error }) => `${address} (${error.message})`).join('; ');
    super('NAME_SERVERS_FAILED', `${request}: no name server of ${failures.length} gave an answer: ${tried}`, {
      retriable: failures.some(({ error }) => error.retriable),
      cause: failures[0]?.error,
    });
  }
}

/** The server's certificate is not trusted or not for this address, ours was refused, or the server speaks no TLS. */
export class TlsHandshakeError extends RocketMqError {
  constructor(
    readonly address: string,
    reason: string,
    cause?: unknown,
  ) {
    super('TLS_HANDSHAKE', `no TLS connection to ${address}: ${reason}`, { retriable: false, cause });
  }
}

/** The function that gives the credentials failed before it ever gave any. */
export class CredentialsUnavailableError extends RocketMqError {
  constructor(cause: unknown) {
    super('CREDENTIALS_UNAVAILABLE', 'the credentials function failed', { retriable: true, cause });
  }
}

export class ConnectionClosedError extends RocketMqError {
  constructor(
    readonly address: string,
    outcome: RequestOutcome,
    readonly reason: string,
    cause?: unknown,
  ) {
    super('CONNECTION_CLOSED', `connection to ${address} ended (${reason}); request ${outcome}`, {
      retriable: true,
      outcome,
      cause,
    });
  }
}

/** Too many requests wait for a connection whose peer does not read. */
export class ConnectionOverloadedError extends RocketMqError {
  constructor(
    readonly address: string,
    waiting: number,
  ) {
    super('CONNECTION_OVERLOADED', `${waiting} requests already wait to be written to ${address}`, {
      retriable: true,
    });
  }
}

export class RequestTimeoutError extends RocketMqError {
  constructor(
    readonly what: string,
    readonly timeoutMs: number,
    outcome: RequestOutcome,
  ) {
    super('REQUEST_TIMEOUT', `${what}: no answer within ${timeoutMs} ms; request ${outcome}`, {
      retriable: true,
      outcome,
    });
  }
}

export class RequestAbortedError extends RocketMqError {
  constructor(
    readonly what: string,
    outcome: RequestOutcome,
    cause?: unknown,
  ) {
    super('REQUEST_ABORTED', `${what}: aborted by the caller; request ${outcome}`, {
      retriable: false,
      outcome,
      cause,
    });
  }
}

/** An answer is longer than the client reads (`maxFrameBytes`). */
export class FrameTooLargeError extends RocketMqError {
  constructor(
    readonly frameBytes: number,
    readonly maxFrameBytes: number,
  ) {
    super('FRAME_TOO_LARGE', `frame of ${frameBytes} bytes, allowed are ${maxFrameBytes}`, {
      retriable: false,
      outcome: 'unknown',
    });
  }
}

/** Bytes from a peer that do not have the form that the protocol gives them. */
export class MalformedDataError extends RocketMqError {
  constructor(what: string, detail: string, cause?: unknown) {
    super('MALFORMED_DATA', `malformed ${what}: ${detail}`, { retriable: false, outcome: 'unknown', cause });
  }
}

export class MessageTooLargeError extends RocketMqError {
  constructor(
    what: string,
    readonly bytes: number,
    readonly maxBytes: number,
  ) {
    super('MESSAGE_TOO_LARGE', `${what} of ${bytes} bytes, allowed are ${maxBytes}`, {
      retriable: false,
    });
  }
}

/** A compressed body holds more than the reader allows; how much more is not known. */
export class DecompressedTooLargeError extends RocketMqError {
  constructor(
    readonly compression: string,
    readonly storedBytes: number,
    readonly maxBytes: number,
  ) {
    super('DECOMPRESSED_TOO_LARGE', `body of ${storedBytes} bytes in ${compression} holds more than the allowed ${maxBytes} bytes`, {
      retriable: false,
    });
  }
}

/** A body is compressed in a way that this client, or this version of Node, cannot read. */
export class UnsupportedCompressionError extends RocketMqError {
  constructor(
    readonly compression: string,
    detail: string,
  ) {
    super('UNSUPPORTED_COMPRESSION', `body compressed with ${compression}: ${detail}`, { retriable: false });
  }
}

/** What was asked for needs an optional package that is not installed. */
export class PackageMissingError extends RocketMqError {
  constructor(
    readonly packageName: string,
    version: string,
    what: string,
    cause: unknown,
  ) {
    const install = `npm install ${packageName}@${version}`;
    super('PACKAGE_MISSING', `${what} needs the package '${packageName}', which is not installed: ${install}`, {
      retriable: false,
      cause,
    });
  }
}

interface BrokerAnswer {
  readonly request: string;
  readonly address: string;
  readonly responseCode: number;
  readonly remark: string;
}

type BrokerResponseErrorCode =
  'BROKER_RESPONSE' | 'OFFSET_RESET' | 'UNSUPPORTED_BY_BROKER' | 'FLOW_CONTROL' | 'AUTHENTICATION' | 'AUTHORIZATION';

interface BrokerResponseErrorOptions {
  readonly retriable: boolean;
  readonly code?: BrokerResponseErrorCode;
  /** Default `unknown`: most answers do not say how far the server came. */
  readonly outcome?: RequestOutcome;
}

/** The broker or name server answered with a code that the caller of the request cannot use. */
export class BrokerResponseError extends RocketMqError {
  readonly request: string;
  readonly address: string;
  readonly responseCode: number;
  readonly remark: string;

  constructor(answer: BrokerAnswer, options: BrokerResponseErrorOptions) {
    super(
      options.code ?? 'BROKER_RESPONSE',
      `${answer.request} answered by ${answer.address} with code ${answer.responseCode}: ${answer.remark}`,
      { retriable: options.retriable, outcome: options.outcome ?? 'unknown' },
    );
    this.request = answer.request;
    this.address = answer.address;
    this.responseCode = answer.responseCode;
    this.remark = answer.remark;
  }
}

/**
 * The broker or name server at `address` does not know `request`, or not all that was asked with it. Its RocketMQ is too
 * old or too new for it. Nothing was changed there. The docs of each call say which versions lack it.
 */
export class UnsupportedByBrokerError extends BrokerResponseError {
  constructor(answer: Omit<BrokerAnswer, 'responseCode'> & Partial<BrokerAnswer>, hint = '') {
    const { request, address, responseCode = RESPONSE_CODE.REQUEST_CODE_NOT_SUPPORTED, remark } = answer;
    const explained = hint === '' ? remark : `${remark.trim()}; ${hint}`;
    super({ request, address, responseCode, remark: explained }, { retriable: false, outcome: 'not-sent', code: 'UNSUPPORTED_BY_BROKER' });
  }
}

/** The broker is busy and refused the request before executing it. */
export class FlowControlError extends BrokerResponseError {
  constructor(answer: BrokerAnswer) {
    super(answer, { retriable: true, outcome: 'not-sent', code: 'FLOW_CONTROL' });
  }
}

/** The broker does not know the sender: the access key is missing, unknown or disabled, or the secret key is another. */
export class AuthenticationError extends BrokerResponseError {
  constructor(answer: BrokerAnswer) {
    super(answer, { retriable: false, outcome: 'not-sent', code: 'AUTHENTICATION' });
  }
}

/** The broker knows the sender, and its rules do not allow the request. */
export class AuthorizationError extends BrokerResponseError {
  constructor(answer: BrokerAnswer) {
    super(answer, { retriable: false, outcome: 'not-sent', code: 'AUTHORIZATION' });
  }
}

export class TopicNotFoundError extends RocketMqError {
  constructor(readonly topic: string) {
    super('TOPIC_NOT_FOUND', `topic '${topic}' has no route on any reachable name server`, { retriable: false });
  }
}

/** No master of those that were asked has the group. */
export class GroupNotFoundError extends RocketMqError {
  constructor(readonly group: string) {
    super('GROUP_NOT_FOUND', `consumer group '${group}' is on none of the brokers`, { retriable: false });
  }
}

/** The named broker has no master in what the name servers know now. */
export class BrokerNotFoundError extends RocketMqError {
  constructor(
    readonly brokerName: string,
    known: readonly string[],
    context: string,
  ) {
    super('BROKER_NOT_FOUND', `no master of broker '${brokerName}' ${context}; known: ${known.length === 0 ? 'none' : known.join(', ')}`, {
      retriable: true,
    });
  }
}

/**
 * A reader's position is not in the queue; the reader keeps it. It is `below-min` (expired or deleted), `beyond-max` (the
 * queue was truncated or recreated) or `removed` (the broker skipped ahead without a message).
 */
export class OffsetOutOfRangeError extends RocketMqError {
  constructor(
    readonly queue: { readonly topic: string; readonly brokerName: string; readonly queueId: number },
    readonly reason: 'below-min' | 'beyond-max' | 'removed',
    readonly range: {
      readonly offset: number;
      readonly nextOffset: number;
      readonly minOffset: number;
      readonly maxOffset: number;
    },
  ) {
    super(
      'OFFSET_OUT_OF_RANGE',
      `offset ${range.offset} of ${queue.topic}/${queue.brokerName}/${queue.queueId} is ${reason}; ` +
        `the queue holds [${range.minOffset}, ${range.maxOffset}), the broker suggests ${range.nextOffset}`,
      { retriable: false },
    );
  }
}
