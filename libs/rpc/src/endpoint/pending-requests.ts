import { MAX_TIMER_MS } from '@sluice/time';
import { RPC_ERROR_CODES, RpcError, RpcTimeoutError } from '../contract/rpc-error.js';
import { toRpcError } from '../contract/rpc-error-payload.js';
import type { RpcOutcome } from '../contract/rpc-message.js';

export interface UnansweredRequest {
  readonly correlationId: string;
  readonly node: string;
  readonly pattern: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenRequest {
  readonly reply: Promise<unknown>;
  /** Aborted as soon as nobody waits any more: answered, timed out, cancelled, stopped. */
  readonly settled: AbortSignal;
  /** Ends the wait at once. */
  fail(error: RpcError): void;
  /** Kept as the cause of a later time-out. */
  noteFailure(error: unknown): void;
}

interface Entry {
  readonly settle: (outcome: { readonly value: unknown } | { readonly error: RpcError }) => void;
}

/** Requests of this node that wait for their reply, by correlation id; each leaves by reply, deadline, cancellation or stop. */
export class PendingRequests {
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.#entries.size;
  }

  /** @throws RpcError RPC_OVERLOADED when `limit` requests wait already, RPC_CANCELLED when the signal is aborted. */
  open(request: UnansweredRequest): OpenRequest {
    const { correlationId, node, pattern, timeoutMs, signal } = request;
    if (signal?.aborted === true) throw cancelled(request);
    if (this.#entries.size >= this.limit) {
      throw new RpcError(
        RPC_ERROR_CODES.overloaded,
        `${this.#entries.size} requests wait for their reply already; at most ${this.limit} are allowed`,
        { retriable: true },
      );
    }
    const settled = new AbortController();
    let failure: unknown;
    let fail: (error: RpcError) => void = () => undefined;
    const reply = new Promise<unknown>((resolve, reject) => {
      const entry: Entry = {
        settle: (outcome) => {
          if (!this.#entries.delete(correlationId)) return;
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          settled.abort();
          if ('error' in outcome) reject(outcome.error);
          else resolve(outcome.value);
        },
      };
      const onAbort = (): void => {
        entry.settle({ error: cancelled(request) });
      };
      const timer = setTimeout(
        () => {
          entry.settle({ error: new RpcTimeoutError(node, pattern, timeoutMs, failure) });
        },
        Math.min(timeoutMs, MAX_TIMER_MS),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      fail = (error) => {
        entry.settle({ error });
      };
      this.#entries.set(correlationId, entry);
    });
    return {
      reply,
      settled: settled.signal,
      fail,
      noteFailure: (error) => {
        failure = error;
      },
    };
  }

  /** False when nobody waits for it (any more): a late reply or one of an earlier life of this node. */
  settle(correlationId: string, outcome: RpcOutcome): boolean {
    const entry = this.#entries.get(correlationId);
    if (entry === undefined) return false;
    entry.settle(outcome.kind === 'value' ? { value: outcome.value } : { error: toRpcError(outcome.error) });
    return true;
  }

  failAll(error: RpcError): void {
    for (const entry of [...this.#entries.values()]) entry.settle({ error });
  }
}

function cancelled({ node, pattern }: UnansweredRequest): RpcError {
  return new RpcError(RPC_ERROR_CODES.cancelled, `The request '${pattern}' to node '${node}' was cancelled by its caller`);
}
