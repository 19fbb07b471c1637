import { withinTime } from '@sluice/time';
import { InboundDispatcher, type RunningCall } from './inbound-dispatcher.js';
import type { RpcCounters } from './rpc-counters.js';
import type { ResolvedRpcEndpointOptions } from '../contract/rpc-endpoint-options.js';
import { RPC_ERROR_CODES, RpcError, isRpcError } from '../contract/rpc-error.js';
import { toErrorPayload } from '../contract/rpc-error-payload.js';
import type { InboundMessage, OutboundMessage, RpcLink } from '../contract/rpc-link.port.js';
import { encodeRpcMessage, type RpcCall, type RpcOutcome } from '../contract/rpc-message.js';

/** One delivery of a call, as a handler sees it. */
export interface RpcDelivery extends RpcCall {
  readonly messageId: string;
  /** 1 for the first delivery. */
  readonly deliveryAttempt: number;
}

/**
 * What it resolves with is the reply; what it rejects with becomes an error reply, or another delivery of the event. It rejects with
 * RPC_UNKNOWN_PATTERN when there is nobody for the pattern.
 */
export type RpcHandler = (delivery: RpcDelivery) => Promise<unknown>;

export interface RpcServingOptions {
  readonly options: ResolvedRpcEndpointOptions;
  readonly link: RpcLink;
  readonly counters: RpcCounters;
  readonly send: (message: OutboundMessage, deadlineMs: number, signal: AbortSignal) => Promise<void>;
  readonly stopping: AbortSignal;
}

/** Acknowledgements and refusals under way at once; beyond it a message is left for its next delivery. */
const MAX_BACKGROUND = 4_096;
/** Calls remembered as handled, in case their acknowledgement fails or their sender sent them twice. */
const MAX_REMEMBERED = 1_000;
/** Larger replies are not kept for a second sending. */
const MAX_REMEMBERED_REPLY_BYTES = 16 * 1024;
/** Grows from here with each delivery to twice as much, up to a minute. */
const FIRST_REDELIVERY_MS = 1_000;
const MAX_REDELIVERY_MS = 60_000;

/** The receiving half of an endpoint: expiry, handlers, replies, acknowledgement after success. */
export class RpcServing {
  handler: RpcHandler | undefined;
  readonly #context: RpcServingOptions;
  readonly #dispatcher: InboundDispatcher;
  readonly #background = new Set<Promise<void>>();
  /** By correlation id, oldest first, with the reply if it was a small one. */
  readonly #handled = new Map<string, OutboundMessage | undefined>();
  #isClosed = false;

  constructor(context: RpcServingOptions) {
    this.#context = context;
    this.#dispatcher = new InboundDispatcher({
      maxConcurrent: context.options.maxConcurrentHandlers,
      maxQueued: context.options.maxQueuedMessages,
      run: (running) => this.#run(running),
    });
  }

  take(message: InboundMessage, call: RpcCall): void {
    const { counters } = this.#context;
    if (call.deadlineMs <= Date.now()) {
      counters.expired += 1;
      this.acknowledge(message);
      return;
    }
    if (this.#handled.has(call.correlationId)) {
      counters.copies += 1;
      const reply = this.#handled.get(call.correlationId);
      this.#inBackground(async () => {
        if (reply !== undefined) await this.#sendReply(reply, call);
        await this.#ack(message);
      });
      return;
    }
    if (this.#isClosed) return;
    const admission = this.#dispatcher.admit(message, call);
    if (admission === 'accepted') return;
    if (admission !== 'overloaded') {
      counters.copies += 1;
      // The first message of the call stands for its copies.
      if (admission === 'copy') this.acknowledge(message);
      return;
    }
    counters.overloaded += 1;
    const { node, maxConcurrentHandlers, maxQueuedMessages } = this.#context.options;
    const refusal = new RpcError(
      RPC_ERROR_CODES.overloaded,
      `Node '${node}' runs ${maxConcurrentHandlers} handlers and has ${maxQueuedMessages} calls waiting`,
      { retriable: true },
    );
    this.#inBackground(() =>
      call.kind === 'request' ? this.#answer({ message, call }, { kind: 'error', error: toErrorPayload(refusal) }) : this.#putBack(message),
    );
  }

  /** Acknowledges without making anybody wait. */
  acknowledge(message: InboundMessage): void {
    this.#inBackground(() => this.#ack(message));
  }

  /** No call starts any more; waits for the running ones, at most `drainTimeoutMs`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { drainTimeoutMs, logger } = this.#context.options;
    try {
      await withinTime(
        this.#dispatcher.drain(),
        drainTimeoutMs,
        () => new RpcError(RPC_ERROR_CODES.timeout, `${this.#dispatcher.size} handlers still run after ${drainTimeoutMs} ms`),
      );
    } catch (error) {
      logger.warn(`Stopped serving, but ${error instanceof Error ? error.message : String(error)}; their messages are delivered again`);
    }
  }

  /** Resolves when no acknowledgement or refusal is under way. Each is one call with a time limit. */
  async settled(): Promise<void> {
    await Promise.all(this.#background);
  }

  async #run(running: RunningCall): Promise<void> {
    const { counters, options } = this.#context;
    const { call } = running;
    if (call.deadlineMs <= Date.now()) {
      counters.expired += 1;
      await this.#ack(running.message);
      return;
    }
    const outcome = await this.#handle(running);
    if (call.kind === 'request') {
      await this.#answer(running, outcome.kind === 'value' ? outcome : { kind: 'error', error: toErrorPayload(outcome.error) });
      return;
    }
    if (outcome.kind === 'value') {
      await this.#ackHandled(running);
      return;
    }
    const reason = toErrorPayload(outcome.error).message;
    const { deliveryAttempt, messageId } = running.message;
    const what = `Event '${call.pattern}' (message ${messageId}, delivery ${deliveryAttempt} of ${options.maxDeliveryAttempts})`;
    if (isUnknownPattern(outcome.error)) {
      options.logger.warn(`${what} is dropped: ${reason}`);
      await this.#ack(running.message);
    } else if (deliveryAttempt >= options.maxDeliveryAttempts) {
      counters.abandoned += 1;
      options.logger.error(`${what} is given up: ${reason}`);
      await this.#ack(running.message);
    } else {
      options.logger.warn(`${what} failed and will be delivered again: ${reason}`);
      await this.#putBack(running.message);
    }
  }

  /** Ends by the call's deadline whatever the handler does, so that one which never returns does not keep its place. */
  async #handle(running: RunningCall): Promise<{ kind: 'value'; value: unknown } | { kind: 'error'; error: unknown }> {
    const { counters, options } = this.#context;
    const { message, call } = running;
    const { handler } = this;
    try {
      if (handler === undefined) throw unknownPattern(options.node, call.pattern);
      const value = await withinTime(
        handler({ ...call, messageId: message.messageId, deliveryAttempt: message.deliveryAttempt }),
        call.deadlineMs - Date.now(),
        () =>
          new RpcError(RPC_ERROR_CODES.timeout, `The handler of '${call.pattern}' did not end before the deadline`, {
            retriable: true,
          }),
      );
      return { kind: 'value', value };
    } catch (error) {
      if (isUnknownPattern(error)) counters.unknownPattern += 1;
      else counters.failed += 1;
      return { kind: 'error', error };
    }
  }

  /** Acknowledges when the reply is out; a reply that cannot be sent in time leaves the request to expire. */
  async #answer(running: Pick<RunningCall, 'message' | 'call'>, outcome: RpcOutcome): Promise<void> {
    const { counters, options } = this.#context;
    const { correlationId, deadlineMs, replyTo, pattern } = running.call;
    const encode = (content: RpcOutcome): OutboundMessage =>
      encodeRpcMessage({ kind: 'reply', correlationId, deadlineMs, outcome: content }, replyTo, options.maxBodyBytes);
    let reply: OutboundMessage;
    try {
      reply = encode(outcome);
    } catch (error) {
      counters.failed += 1;
      const { code, message } = toErrorPayload(error);
      // Without the details, which may be what could not be encoded.
      reply = encode({
        kind: 'error',
        error: { code, message: `The reply to '${pattern}' cannot be sent: ${message}` },
      });
    }
    if (!(await this.#sendReply(reply, running.call)) && deadlineMs > Date.now()) return;
    await this.#ackHandled(running, reply.body.length > MAX_REMEMBERED_REPLY_BYTES ? undefined : reply);
  }

  async #sendReply(reply: OutboundMessage, { pattern, deadlineMs }: RpcCall): Promise<boolean> {
    const { counters, options, send, stopping } = this.#context;
    try {
      await send(reply, deadlineMs, stopping);
      counters.repliesSent += 1;
      return true;
    } catch (error) {
      options.logger.warn(`The reply to '${pattern}' could not be sent: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  async #ackHandled({ message, call }: Pick<RunningCall, 'message' | 'call'>, reply?: OutboundMessage): Promise<void> {
    if (this.#handled.size >= MAX_REMEMBERED) {
      for (const oldest of this.#handled.keys()) {
        this.#handled.delete(oldest);
        break;
      }
    }
    this.#handled.set(call.correlationId, reply);
    await this.#ack(message);
  }

  async #ack(message: InboundMessage): Promise<void> {
    const { counters, link, options } = this.#context;
    try {
      await link.ack(message);
      counters.acked += 1;
    } catch (error) {
      counters.ackFailures += 1;
      options.logger.debug(error instanceof Error ? error.message : String(error));
    }
  }

  async #putBack(message: InboundMessage): Promise<void> {
    const { link, options } = this.#context;
    const attempt = Math.min(message.deliveryAttempt, 10);
    const delayMs = Math.min(FIRST_REDELIVERY_MS * 2 ** (attempt - 1), MAX_REDELIVERY_MS);
    try {
      await link.retryLater(message, delayMs);
    } catch (error) {
      // It comes back by itself when its invisibility ends.
      options.logger.debug(error instanceof Error ? error.message : String(error));
    }
  }

  #inBackground(work: () => Promise<void>): void {
    if (this.#background.size >= MAX_BACKGROUND) return;
    const running = work();
    this.#background.add(running);
    void running.then(() => this.#background.delete(running));
  }
}

export function unknownPattern(node: string, pattern: string): RpcError {
  return new RpcError(RPC_ERROR_CODES.unknownPattern, `Node '${node}' has no handler for '${pattern}'`);
}

function isUnknownPattern(error: unknown): boolean {
  return isRpcError(error) && error.code === RPC_ERROR_CODES.unknownPattern;
}
