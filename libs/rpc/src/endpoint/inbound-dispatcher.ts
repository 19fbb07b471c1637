import type { InboundMessage } from '../contract/rpc-link.port.js';
import type { RpcCall } from '../contract/rpc-message.js';

/** A call that waits for or is in its handler. The message changes when it is delivered again meanwhile. */
export interface RunningCall {
  message: InboundMessage;
  readonly call: RpcCall;
}

export interface InboundDispatcherOptions {
  readonly maxConcurrent: number;
  readonly maxQueued: number;
  /** Handles one call to its end, acknowledgement included. Must not reject. */
  readonly run: (running: RunningCall) => Promise<void>;
}

/** `again`: the same message, delivered once more. `copy`: another message with the same call, sent twice by a sender in doubt. */
export type Admission = 'accepted' | 'again' | 'copy' | 'overloaded';

/** Runs calls with bounded concurrency and a bounded queue; one that is delivered again while it is here is not run twice. */
export class InboundDispatcher {
  readonly #calls = new Map<string, RunningCall>();
  readonly #queue: RunningCall[] = [];
  readonly #idleWaiters = new Set<() => void>();
  #active = 0;

  constructor(private readonly options: InboundDispatcherOptions) {}

  get size(): number {
    return this.#calls.size;
  }

  admit(message: InboundMessage, call: RpcCall): Admission {
    const known = this.#calls.get(call.correlationId);
    if (known !== undefined) {
      if (known.message.messageId !== message.messageId) return 'copy';
      // Only the latest delivery can be acknowledged.
      known.message = message;
      return 'again';
    }
    if (this.#active >= this.options.maxConcurrent && this.#queue.length >= this.options.maxQueued) return 'overloaded';
    const running: RunningCall = { message, call };
    this.#calls.set(call.correlationId, running);
    if (this.#active < this.options.maxConcurrent) this.#start(running);
    else this.#queue.push(running);
    return 'accepted';
  }

  /** Forgets what has not begun; those messages are delivered again. Resolves when nothing runs any more. */
  async drain(): Promise<void> {
    for (const waiting of this.#queue.splice(0)) this.#calls.delete(waiting.call.correlationId);
    if (this.#active === 0) return;
    await new Promise<void>((resolve) => this.#idleWaiters.add(resolve));
  }

  #start(running: RunningCall): void {
    this.#active += 1;
    void this.options.run(running).finally(() => {
      this.#active -= 1;
      this.#calls.delete(running.call.correlationId);
      const next = this.#queue.shift();
      if (next !== undefined) this.#start(next);
      if (this.#active > 0) return;
      for (const wake of this.#idleWaiters) wake();
      this.#idleWaiters.clear();
    });
  }
}
