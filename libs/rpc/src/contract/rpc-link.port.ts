/** A message as the link sends it. Property values hold no control characters; the body is not empty. */
export interface OutboundMessage {
  readonly tag: string;
  readonly properties: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** A message as the link received it. `receipt` belongs to the link and names this very delivery. */
export interface InboundMessage {
  readonly messageId: string;
  readonly tag: string;
  readonly properties: ReadonlyMap<string, string>;
  /** Undefined when the body could not be decoded; `problem` then says why. */
  readonly body: Buffer | undefined;
  readonly problem?: string;
  /** 1 for the first delivery. */
  readonly deliveryAttempt: number;
  readonly receipt: unknown;
}

/**
 * `connecting`: starting, or the broker cannot be reached at the moment and the link keeps trying.
 * `ready`: every receive loop works.
 * `failed`: the start was given up, or the broker refuses us for a reason that waiting does not cure; the link still tries, rarely.
 */
export type RpcLinkState = 'connecting' | 'ready' | 'failed';

export interface RpcLinkListener {
  /** Must not throw and must not block: it takes the message over. */
  onMessage(message: InboundMessage): void;
  onState(state: RpcLinkState, cause?: unknown): void;
}

/** The way to the rpc topic for one node: at least once, in no order. */
export interface RpcLink {
  /** Resolves when messages sent from now on will be received. Rejects, with everything released, when that takes too long. */
  start(listener: RpcLinkListener): Promise<void>;
  /** One attempt. Rejects with an `RpcError` whose `retriable` says whether another attempt makes sense. */
  send(message: OutboundMessage, timeoutMs: number): Promise<void>;
  /** Rejects when the broker did not confirm; the message is then delivered again. */
  ack(message: InboundMessage): Promise<void>;
  /** Has the message delivered again after about `delayMs`, with `deliveryAttempt` + 1. */
  retryLater(message: InboundMessage, delayMs: number): Promise<void>;
  /** No message is handed out afterwards, acknowledgements still work. */
  pause(): void;
  /** Never rejects, takes a bounded time and leaves no socket or timer. */
  stop(): Promise<void>;
}
