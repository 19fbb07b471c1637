import { pause, retry } from '@sluice/time';
import { randomUUID } from 'node:crypto';
import { createRpcLink } from '../link/create-rpc-link.js';
import { nodeTag } from '../contract/node-tag.js';
import { type OpenRequest, PendingRequests } from './pending-requests.js';
import { RateLimit } from './rate-limit.js';
import { RequestObservers, type SettledRequest } from './request-observers.js';
import { createRpcCounters, type RpcCounters } from './rpc-counters.js';
import { type ResolvedRpcEndpointOptions, resolveRpcEndpointOptions, type RpcEndpointOptions } from '../contract/rpc-endpoint-options.js';
import { RPC_ERROR_CODES, RpcError, isRpcError } from '../contract/rpc-error.js';
import { toErrorPayload } from '../contract/rpc-error-payload.js';
import type { InboundMessage, OutboundMessage, RpcLink, RpcLinkListener, RpcLinkState } from '../contract/rpc-link.port.js';
import { decodeRpcMessage, encodeRpcMessage, type RpcMetadata } from '../contract/rpc-message.js';
import { type RpcHandler, RpcServing } from './rpc-serving.js';

const retryLimits = { initialMs: 100, maxMs: 5_000 } as const;

export type RpcEndpointState = RpcLinkState;

/** First pause before an unanswered request is sent once more; each further pause is twice as long. */
const RESEND_AFTER_MS = 700;
/** Of all requests together: when many wait because the receiver is slow, more copies would make it slower. */
const MAX_RESENDS_PER_SECOND = 10;
/** First pause before a probe is sent once more; each further pause is twice as long. */
const PROBE_AGAIN_AFTER_MS = 50;
const MIN_PROBE_TIMEOUT_MS = 2_000;

/** Whom a request or an event is for. */
export interface RpcTarget {
  readonly node: string;
  readonly pattern: string;
}

export interface RpcSendOptions {
  /** From now until the request has failed; for events, until it is no longer worth handling. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Small strings that travel beside the data, e.g. a trace id. */
  readonly metadata?: RpcMetadata;
}

/**
 * A node's end of the rpc topic: sends requests and events, receives calls and replies, all through one producer and one consumer.
 *
 * Delivery is at least once: the endpoint repeats a send of unknown outcome and an unanswered request until the deadline. The receiver
 * remembers the last calls that it handled, so a handler sees one twice only after a restart or a very long time. Of several replies the
 * first one is valid. Deadlines compare the clocks of two nodes, which must agree much better than the time-outs in use.
 */
export class RpcEndpoint {
  readonly node: string;
  readonly #options: ResolvedRpcEndpointOptions;
  readonly #link: RpcLink;
  readonly #pending: PendingRequests;
  readonly #serving: RpcServing;
  readonly #counters = createRpcCounters();
  readonly #resends = new RateLimit(MAX_RESENDS_PER_SECOND);
  /** A sender of another version may send any number of such messages. */
  readonly #malformedLines = new RateLimit(1, 10_000);
  readonly #stopping = new AbortController();
  readonly #stateListeners = new Set<(state: RpcEndpointState, cause?: unknown) => void>();
  readonly #requests = new RequestObservers();
  #state: RpcEndpointState = 'connecting';
  /** Takes effect once the reception is proven. */
  #linkState: Parameters<RpcLinkListener['onState']> = ['ready'];
  #isProven = false;
  #probe: { readonly correlationId: string; readonly arrived: AbortController } | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  /** @throws RpcError RPC_INVALID_OPTIONS for an option out of its range. Connects to nothing yet. */
  constructor(options: RpcEndpointOptions, createLink: (options: ResolvedRpcEndpointOptions) => RpcLink = createRpcLink) {
    this.#options = resolveRpcEndpointOptions(options);
    this.node = options.node;
    this.#link = createLink(this.#options);
    this.#pending = new PendingRequests(this.#options.maxPendingRequests);
    this.#serving = new RpcServing({
      options: this.#options,
      link: this.#link,
      counters: this.#counters,
      send: (message, deadlineMs, signal) => this.#deliver(message, deadlineMs, signal),
      stopping: this.#stopping.signal,
    });
  }

  get state(): RpcEndpointState {
    return this.#state;
  }

  get counters(): Readonly<RpcCounters> {
    return { ...this.#counters };
  }

  /** Requests of this node that wait for a reply. */
  get pendingRequests(): number {
    return this.#pending.size;
  }

  /** Called at every change from now on. Returns the function that ends it. */
  onState(listener: (state: RpcEndpointState, cause?: unknown) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** Called at the end of every request of this node. Returns the function that ends it. */
  onRequestSettled(listener: (request: SettledRequest) => void): () => void {
    return this.#requests.add(listener);
  }

  /**
   * Resolves when whatever is sent to this node from now on will be received. Idempotent: the server and the client of a node both call it.
   *
   * @throws RpcError RPC_STARTUP_FAILED (retriable; everything is released, so make a new endpoint to try again), RPC_STOPPED.
   */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /** Takes the calls from now on. Without a handler every pattern is unknown. */
  serve(handler: RpcHandler): void {
    this.#serving.handler = handler;
  }

  /** Hands out no further calls and waits for those running, at most `drainTimeoutMs`. Requests of this node continue. */
  async stopServing(): Promise<void> {
    await this.#serving.close();
  }

  /**
   * Resolves with the value that the handler gave.
   *
   * @throws RpcTimeoutError when no reply came by the deadline, RpcError with the handler's code or one of RPC_ERROR_CODES otherwise.
   */
  async request(target: RpcTarget, data: unknown, options: RpcSendOptions = {}): Promise<unknown> {
    this.#assertStarted();
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs;
    const deadlineMs = Date.now() + timeoutMs;
    const correlationId = randomUUID();
    const message = this.#encode('request', target, data, correlationId, deadlineMs, options.metadata);
    const open = this.#pending.open({ correlationId, ...target, timeoutMs, signal: options.signal });
    this.#requests.observe(target.pattern, open.reply);
    void this.#sendRequest(message, deadlineMs, open);
    return open.reply;
  }

  /**
   * Resolves when the broker has the event; whether anybody handles it stays unknown.
   *
   * @throws RpcError RPC_UNAVAILABLE when it could not be sent within `requestTimeoutMs`, and the codes of encoding.
   */
  async emit(target: RpcTarget, data: unknown, options: RpcSendOptions = {}): Promise<void> {
    this.#assertStarted();
    const nowMs = Date.now();
    const deadlineMs = nowMs + (options.timeoutMs ?? this.#options.eventTtlMs);
    const message = this.#encode('event', target, data, randomUUID(), deadlineMs, options.metadata);
    const signals = [this.#stopping.signal, ...(options.signal === undefined ? [] : [options.signal])];
    await this.#deliver(message, Math.min(deadlineMs, nowMs + this.#options.requestTimeoutMs), AbortSignal.any(signals));
    this.#counters.eventsSent += 1;
  }

  /** Fails the waiting requests, drains the handlers and disconnects. Never rejects, idempotent, leaves no socket or timer. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Nest calls this on the provider after every transport has been closed. */
  async onApplicationShutdown(): Promise<void> {
    await this.stop();
  }

  async #start(): Promise<void> {
    if (this.#stopped !== undefined) throw stopped();
    const startedAtMs = Date.now();
    try {
      await this.#link.start({
        onMessage: (message) => {
          this.#receive(message);
        },
        onState: (...change) => {
          this.#linkState = change;
          if (this.#isProven) this.#setState(...change);
        },
      });
      const leftMs = this.#options.startupTimeoutMs - (Date.now() - startedAtMs);
      await this.#proveReception(Math.max(MIN_PROBE_TIMEOUT_MS, leftMs));
    } catch (error) {
      const failure = this.#startFailure(error);
      this.#setState('failed', failure);
      await this.#link.stop();
      throw failure;
    }
    this.#isProven = true;
    this.#setState(...this.#linkState);
  }

  /**
   * Sends messages to this very node until one arrives. A poll may begin while a message comes in. It does not see that message until the
   * next one or the poll's end. The first poll of a group takes its time: 3 of 40 starts missed the first request.
   */
  async #proveReception(timeoutMs: number): Promise<void> {
    const deadlineMs = Date.now() + timeoutMs;
    const correlationId = randomUUID();
    const arrived = new AbortController();
    this.#probe = { correlationId, arrived };
    const { maxBodyBytes, tag } = this.#options;
    const message = encodeRpcMessage({ kind: 'probe', correlationId, deadlineMs }, tag, maxBodyBytes);
    const over = AbortSignal.any([arrived.signal, this.#stopping.signal]);
    for (let pauseMs = PROBE_AGAIN_AFTER_MS; Date.now() < deadlineMs && !over.aborted; pauseMs *= 2) {
      await this.#deliver(message, deadlineMs, over);
      await pause(Math.min(pauseMs, Math.max(0, deadlineMs - Date.now())), over);
    }
    this.#stopping.signal.throwIfAborted();
    if (arrived.signal.aborted) return;
    const { group, topic } = this.#options;
    const what = `Node '${this.node}' did not receive its own message on topic '${topic}' within ${timeoutMs} ms (group '${group}', tag '${tag}')`;
    const [, cause] = this.#linkState;
    const reason = cause === undefined ? '' : `: ${toErrorPayload(cause).message}`;
    throw new RpcError(RPC_ERROR_CODES.startupFailed, `${what}${reason}`, { retriable: true, cause });
  }

  #startFailure(error: unknown): RpcError {
    if (isRpcError(error) && (error.code === RPC_ERROR_CODES.startupFailed || error.code === RPC_ERROR_CODES.stopped)) {
      return error;
    }
    const { group, topic, url } = this.#options;
    const what = `Starting the rpc transport on topic '${topic}' at ${url}, group '${group}'`;
    const message = `${what}: ${toErrorPayload(error).message}`;
    return new RpcError(RPC_ERROR_CODES.startupFailed, message, { retriable: true, cause: error });
  }

  async #stop(): Promise<void> {
    this.#pending.failAll(stopped());
    await this.#serving.close();
    this.#link.pause();
    this.#stopping.abort(stopped());
    this.#pending.failAll(stopped());
    await this.#serving.settled();
    await this.#link.stop();
    this.#stateListeners.clear();
  }

  #receive(message: InboundMessage): void {
    this.#counters.received += 1;
    // The broker filters by the hash of the tag, which two nodes can share.
    if (message.tag !== this.#options.tag) {
      this.#counters.malformed += 1;
      this.#serving.acknowledge(message);
      return;
    }
    let decoded: ReturnType<typeof decodeRpcMessage>;
    try {
      decoded = decodeRpcMessage(message);
    } catch (error) {
      this.#counters.malformed += 1;
      const dropped = `Message ${message.messageId} is dropped (malformed so far: ${this.#counters.malformed})`;
      if (this.#malformedLines.tryTake()) this.#options.logger.warn(`${dropped}: ${toErrorPayload(error).message}`);
      this.#serving.acknowledge(message);
      return;
    }
    switch (decoded.kind) {
      case 'probe':
        if (decoded.correlationId === this.#probe?.correlationId) this.#probe.arrived.abort();
        this.#serving.acknowledge(message);
        return;
      case 'reply':
        if (!this.#pending.settle(decoded.correlationId, decoded.outcome)) this.#counters.unmatchedReplies += 1;
        this.#serving.acknowledge(message);
        return;
      case 'request':
      case 'event':
        this.#serving.take(message, decoded);
        return;
      default:
        decoded satisfies never;
    }
  }

  #encode(
    kind: 'request' | 'event',
    { node, pattern }: RpcTarget,
    data: unknown,
    correlationId: string,
    deadlineMs: number,
    metadata: RpcMetadata = {},
  ): OutboundMessage {
    const replyTo = kind === 'request' ? this.#options.tag : '';
    return encodeRpcMessage(
      { kind, correlationId, deadlineMs, pattern, replyTo, metadata, data },
      nodeTag(this.#options.topic, node),
      this.#options.maxBodyBytes,
    );
  }

  async #sendRequest(message: OutboundMessage, deadlineMs: number, open: OpenRequest): Promise<void> {
    try {
      await this.#deliver(message, deadlineMs, open.settled, (error) => {
        open.noteFailure(error);
      });
      this.#counters.requestsSent += 1;
      await this.#resendUntilSettled(message, deadlineMs, open.settled);
    } catch (error) {
      // What could be repaired by time was retried until the deadline, whose own error names the node.
      if (isRpcError(error) && !error.retriable) open.fail(error);
    }
  }

  /**
   * A message may wait unseen for the next one, or go to a poll whose connection has just died and come back a minute later. So the
   * endpoint sends an unanswered request again, ever more rarely. The receiver answers the copy of a handled call with the same reply.
   */
  async #resendUntilSettled(message: OutboundMessage, deadlineMs: number, settled: AbortSignal): Promise<void> {
    for (let pauseMs = RESEND_AFTER_MS; Date.now() + pauseMs < deadlineMs; pauseMs *= 2) {
      await pause(pauseMs, settled);
      if (settled.aborted) return;
      if (!this.#resends.tryTake()) continue;
      await this.#deliver(message, deadlineMs, settled);
      this.#counters.requestsResent += 1;
    }
  }

  /** Sends, again after transient failures, until the deadline. The receiver knows duplicates by their correlation id. */
  async #deliver(message: OutboundMessage, deadlineMs: number, signal: AbortSignal, onFailure?: (error: RpcError) => void): Promise<void> {
    const send = async (): Promise<void> => {
      const leftMs = deadlineMs - Date.now();
      if (leftMs <= 0) {
        throw new RpcError(RPC_ERROR_CODES.unavailable, 'The deadline passed before the message could be sent', {
          retriable: true,
        });
      }
      try {
        await this.#link.send(message, Math.min(leftMs, this.#options.callTimeoutMs));
      } catch (error) {
        const failure = isRpcError(error)
          ? error
          : new RpcError(RPC_ERROR_CODES.refused, `Sending failed: ${String(error)}`, { cause: error });
        this.#counters.sendFailures += 1;
        onFailure?.(failure);
        throw failure;
      }
    };
    const mayRetry = (error: unknown): boolean => isRpcError(error) && error.retriable;
    await retry(send, { limits: retryLimits, signal, limitMs: deadlineMs - Date.now(), mayRetry });
  }

  #assertStarted(): void {
    if (this.#stopped !== undefined) throw stopped();
    if (this.#started === undefined) {
      throw new RpcError(RPC_ERROR_CODES.unavailable, `The rpc endpoint of node '${this.node}' is not started; call start() first`);
    }
  }

  #setState(state: RpcEndpointState, cause?: unknown): void {
    if (state === this.#state) return;
    this.#state = state;
    const { logger } = this.#options;
    const reason = cause === undefined ? '' : `: ${toErrorPayload(cause).message}`;
    const transport = `The rpc transport of node '${this.node}'`;
    if (state === 'failed') logger.error(`${transport} has failed${reason}`);
    else if (state === 'connecting') logger.warn(`${transport} reconnects${reason}`);
    else logger.info(`${transport} is connected`);
    for (const listener of [...this.#stateListeners]) {
      try {
        listener(state, cause);
      } catch (error) {
        logger.error(`A listener to the state of the rpc transport failed: ${String(error)}`);
      }
    }
  }
}

function stopped(): RpcError {
  return new RpcError(RPC_ERROR_CODES.stopped, 'The transport is stopped');
}
