import { type BaseRpcContext, type CustomTransportStrategy, type ReadPacket, Server } from '@nestjs/microservices';
import { finalize, isObservable, lastValueFrom } from 'rxjs';
import { RocketMqContext } from './rocketmq.context.js';
import type { RpcEndpoint, RpcEndpointState } from '../endpoint/rpc-endpoint.js';
import { type RpcDelivery, unknownPattern } from '../endpoint/rpc-serving.js';

export const ROCKETMQ_TRANSPORT = Symbol('SLUICE_ROCKETMQ');

export interface RocketMqServerEvents extends Record<string, (...args: never[]) => void> {
  readonly state: (state: RpcEndpointState, cause?: unknown) => void;
}

/**
 * Serves Nest's controllers on a node's {@link RpcEndpoint}. A `@MessagePattern` answers with its last value. An `@EventPattern` is
 * acknowledged when every handler of the pattern has succeeded, and delivered again otherwise. The method close() does not stop the
 * endpoint: the client of the node still uses it. Its creator stops it (as a Nest provider it stops by itself).
 */
export class RocketMqServer extends Server<RocketMqServerEvents, RpcEndpointState> implements CustomTransportStrategy {
  override readonly transportId = ROCKETMQ_TRANSPORT;
  /** Stops Nest from logging a failure that this transport reports itself. */
  override readonly propagatesEventHandlerErrors: boolean = true;
  readonly #endpoint: RpcEndpoint;
  #forgetState: (() => void) | undefined;

  constructor(endpoint: RpcEndpoint) {
    super();
    this.#endpoint = endpoint;
  }

  /** Calls back when requests can be received, or with the error of the start. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    this.#endpoint.serve((delivery) => this.#handle(delivery));
    this._status$.next(this.#endpoint.state);
    this.#forgetState ??= this.#endpoint.onState((state) => {
      this._status$.next(state);
    });
    try {
      await this.#endpoint.start();
    } catch (error) {
      callback(error);
      return;
    }
    callback();
  }

  async close(): Promise<void> {
    await this.#endpoint.stopServing();
    this.#forgetState?.();
    this.#forgetState = undefined;
  }

  on<Event extends keyof RocketMqServerEvents>(_event: Event, callback: RocketMqServerEvents[Event]): void {
    this.#endpoint.onState(callback as RocketMqServerEvents['state']);
  }

  unwrap<T>(): T {
    return this.#endpoint as T;
  }

  /**
   * Resolves only when the handler succeeded; rejects when it failed or none is registered. The base class resolves in both cases, and an
   * acknowledgement after that would lose the event.
   */
  override async handleEvent(pattern: string, packet: ReadPacket, context: BaseRpcContext): Promise<void> {
    const handler = this.getHandlerByPattern(pattern);
    if (handler === null) throw unknownPattern(this.#endpoint.node, pattern);
    await this.#withHooks(context, async () => handler(packet.data, context));
  }

  async #handle(delivery: RpcDelivery): Promise<unknown> {
    const context = new RocketMqContext(delivery);
    if (delivery.kind === 'event') {
      await this.handleEvent(delivery.pattern, { pattern: delivery.pattern, data: delivery.data }, context);
      return undefined;
    }
    const handler = this.getHandlerByPattern(delivery.pattern);
    if (handler === null || handler.isEventHandler === true) throw unknownPattern(this.#endpoint.node, delivery.pattern);
    return this.#withHooks(context, async () => handler(delivery.data, context));
  }

  /**
   * Returns the last value of what the handler gave, between Nest's processing hooks. A hook decides what the base returns, so the outcome is
   * taken from inside.
   */
  #withHooks(context: BaseRpcContext, call: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.runWithProcessingHooks(context, async (runEndHook) => {
        try {
          const result = await call();
          if (isObservable(result)) {
            resolve(await lastValueFrom(result.pipe(finalize(runEndHook)), { defaultValue: undefined }));
          } else {
            runEndHook();
            resolve(result);
          }
        } catch (error) {
          runEndHook();
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it was thrown
          reject(error);
        }
      });
    });
  }
}
