import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import type { RpcEndpoint, RpcEndpointState, RpcSendOptions, RpcTarget } from '../endpoint/rpc-endpoint.js';

/** A node and a pattern as its controllers write it: a string, or an object that Nest turns into one. */
export interface RocketMqPattern {
  readonly node: string;
  readonly pattern: string | Readonly<Record<string, string | number>>;
  /** Deadline of this call. @default that of the endpoint */
  readonly timeoutMs?: number;
}

/** Nest's client over a node's {@link RpcEndpoint}, which it starts when needed and does not stop. */
export class RocketMqClientProxy extends ClientProxy<Record<string, () => void>, RpcEndpointState> {
  readonly #endpoint: RpcEndpoint;
  readonly #closing = new AbortController();
  #forgetState: (() => void) | undefined;

  constructor(endpoint: RpcEndpoint) {
    super();
    this.#endpoint = endpoint;
  }

  /** @throws RpcError RPC_STARTUP_FAILED */
  async connect(): Promise<void> {
    if (this.#forgetState === undefined) {
      this._status$.next(this.#endpoint.state);
      this.#forgetState = this.#endpoint.onState((state) => {
        this._status$.next(state);
      });
    }
    await this.#endpoint.start();
  }

  /** Cancels what this client waits for. */
  close(): void {
    this.#closing.abort();
    this.#forgetState?.();
    this.#forgetState = undefined;
  }

  /** Nest's hook for clients that are providers. */
  onModuleDestroy(): void {
    this.close();
  }

  unwrap<T>(): T {
    return this.#endpoint as T;
  }

  /**
   * One value, then completion; nothing is sent before the subscription, and unsubscribing forgets the request.
   * Errors: RpcTimeoutError by the deadline, RpcError with the handler's code otherwise.
   */
  override send<TResult = unknown>(pattern: RocketMqPattern, data: unknown): Observable<TResult> {
    return super.send<TResult>(pattern, data);
  }

  /** Sent at once, subscribed to or not; completes when the broker has it. */
  override emit<TResult = unknown>(pattern: RocketMqPattern, data: unknown): Observable<TResult> {
    return super.emit<TResult>(pattern, data);
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const cancel = new AbortController();
    const { target, options } = this.#address(packet);
    const signal = AbortSignal.any([cancel.signal, this.#closing.signal]);
    this.#endpoint.request(target, packet.data, { ...options, signal }).then(
      (response) => {
        callback({ response, isDisposed: true });
      },
      (err: unknown) => {
        if (!cancel.signal.aborted) callback({ err, isDisposed: true });
      },
    );
    return () => {
      cancel.abort();
    };
  }

  protected async dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    const { target, options } = this.#address(packet);
    await this.#endpoint.emit(target, packet.data, { ...options, signal: this.#closing.signal });
    return undefined as T;
  }

  #address(packet: ReadPacket): { target: RpcTarget; options: RpcSendOptions } {
    const { node, pattern, timeoutMs } = packet.pattern as RocketMqPattern;
    return {
      target: { node, pattern: this.normalizePattern(pattern) },
      options: {
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(packet.metadata === undefined ? {} : { metadata: packet.metadata }),
      },
    };
  }
}
