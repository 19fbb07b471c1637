import { type RequestOutcome } from '../errors.js';
import { type RemotingCommand, type RemotingRequest } from '../wire/remoting-codec.js';

/** One request under way. */
export interface InFlightRequest {
  /**
   * Ends with the reply, or rejects with ConnectionClosedError or ConnectionOverloadedError; after a server that goes
   * away refused it also with what keeps a new connection from opening.
   */
  readonly reply: Promise<RemotingCommand>;
  readonly outcome: RequestOutcome;
  /** Takes a waiting request back, and forgets one that was written: its late reply is dropped. */
  abandon(): void;
  /** Says that only `reply` still waits: a peer that leaves it unanswered for long is taken for stuck. */
  markOverdue(): void;
}

/** The connection that a request waits on. */
interface RequestOwner {
  forget(pending: PendingRequest): void;
}

/** A request from its first connection to its end: a server that goes away may have it moved to a second one. */
export class PendingRequest implements InFlightRequest {
  outcome: RequestOutcome = 'not-sent';
  overdueSince: number | undefined;
  /** Whether it was refused once by a server that goes away. */
  isMoved = false;
  readonly reply: Promise<RemotingCommand>;
  #owner: RequestOwner | undefined;
  #opaque = 0;
  #isAbandoned = false;
  #resolve: ((reply: RemotingCommand) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(readonly request: RemotingRequest) {
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.reply.catch(() => undefined);
  }

  /** The number that its reply carries. */
  get opaque(): number {
    return this.#opaque;
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  belongTo(owner: RequestOwner, opaque: number): void {
    this.#owner = owner;
    this.#opaque = opaque;
  }

  resolve(reply: RemotingCommand): void {
    this.#resolve?.(reply);
  }

  reject(error: unknown): void {
    this.#reject?.(error);
  }

  markOverdue(): void {
    this.overdueSince ??= performance.now();
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#owner?.forget(this);
  }
}
