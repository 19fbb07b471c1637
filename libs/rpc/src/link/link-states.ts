import type { RpcLinkListener, RpcLinkState } from '../contract/rpc-link.port.js';

/** Merges the states of a link's parts into the link's state, which is the worst of them. Reports each change to the listener. */
export class LinkStates {
  readonly #states = new Map<string, RpcLinkState>();
  #state: RpcLinkState = 'connecting';

  constructor(private readonly listener: Pick<RpcLinkListener, 'onState'>) {}

  set(part: string, state: RpcLinkState, cause?: unknown): void {
    this.#states.set(part, state);
    this.#publish(cause);
  }

  forget(part: string): void {
    if (this.#states.delete(part)) this.#publish();
  }

  #publish(cause?: unknown): void {
    const states = [...this.#states.values()];
    const state = (['failed', 'connecting'] as const).find((each) => states.includes(each)) ?? 'ready';
    if (state === this.#state) return;
    this.#state = state;
    this.listener.onState(state, cause);
  }
}
