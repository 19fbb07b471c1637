import { RPC_ERROR_CODES, isRpcError } from '../contract/rpc-error.js';

/** A request of this node that has its end. */
export interface SettledRequest {
  readonly pattern: string;
  /** `refused`: the handler failed or there was none; `unanswered`: no reply came in time, or nobody waited for it any more. */
  readonly outcome: 'answered' | 'refused' | 'unanswered';
  readonly durationMs: number;
}

const UNANSWERED_CODES: ReadonlySet<string> = new Set([
  RPC_ERROR_CODES.timeout,
  RPC_ERROR_CODES.cancelled,
  RPC_ERROR_CODES.stopped,
  RPC_ERROR_CODES.unavailable,
]);

/** Those who want to know how requests end and how long they take. */
export class RequestObservers {
  readonly #listeners = new Set<(request: SettledRequest) => void>();

  /** Returns the function that ends it. */
  add(listener: (request: SettledRequest) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reports the end of a request that is sent now. */
  observe(pattern: string, reply: Promise<unknown>): void {
    const startedMs = performance.now();
    const tell = (outcome: SettledRequest['outcome']): void => {
      const durationMs = performance.now() - startedMs;
      for (const listener of this.#listeners) listener({ pattern, outcome, durationMs });
    };
    reply.then(
      () => {
        tell('answered');
      },
      (error: unknown) => {
        tell(isRpcError(error) && UNANSWERED_CODES.has(error.code) ? 'unanswered' : 'refused');
      },
    );
  }
}
