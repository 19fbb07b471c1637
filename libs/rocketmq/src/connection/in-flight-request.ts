import { RequestAbortedError, RequestTimeoutError, type RequestOutcome } from '../errors.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { requestName } from '../wire/request-code.js';
import type { CallDeadline } from './call-deadline.js';

/** One request under way. */
export interface InFlightRequest {
  /**
   * Resolves with the reply, or rejects with ConnectionClosedError, ConnectionOverloadedError or, overdue, RequestTimeoutError. Where a server
   * refused the request as it shuts down, it also rejects with what keeps a new connection from opening.
   */
  readonly reply: Promise<RemotingCommand>;
  readonly outcome: RequestOutcome;
  /** Waits for the reply, and abandons the request at the deadline or abort. Rejects as `reply`, or with RequestTimeoutError or RequestAbortedError. */
  replyWithin(deadline: CallDeadline): Promise<RemotingCommand>;
  /** Takes a waiting request back, and forgets one that was written: its late reply is dropped. */
  abandon(): void;
  /** Says that only `reply` still waits. After `overdueAfterMs` it is given up, and rejects with RequestTimeoutError. */
  markOverdue(): void;
}

/** The connection that a request waits on. */
interface RequestOwner {
  readonly address: string;
  /** How long an overdue reply is waited for. */
  readonly overdueAfterMs: number;
  forget(pending: PendingRequest): void;
  /** Returns whether the operating system has all bytes of the request; the caller may then use its memory again. */
  hasWritten(pending: PendingRequest): boolean;
  close(reason: string): void;
}

/** A request from its first connection to its end; the pool moves one that a server refused as it shuts down to a second one. */
export class PendingRequest implements InFlightRequest {
  outcome: RequestOutcome = 'not-sent';
  /** Where it ends in the stream of its connection. */
  endsAt = 0;
  /** Whether a server that shuts down refused it once. */
  isMoved = false;
  /** Called once at its end, without a reply if there was none. */
  onEnd: ((reply: RemotingCommand | undefined) => void) | undefined;
  readonly reply: Promise<RemotingCommand>;
  #owner: RequestOwner | undefined;
  #opaque = 0;
  #isAbandoned = false;
  #overdueTimer: NodeJS.Timeout | undefined;
  #resolve: ((reply: RemotingCommand) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(readonly request: RemotingRequest) {
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.reply.catch(ignore);
  }

  /** The number that its reply carries. */
  get opaque(): number {
    return this.#opaque;
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** @throws RequestAbortedError when its caller does not want it sent any more */
  requireWanted(): void {
    const { code, maySend } = this.request;
    if (maySend?.() === false) throw new RequestAbortedError(requestName(code), 'not-sent');
  }

  belongTo(owner: RequestOwner, opaque: number): void {
    this.#owner = owner;
    this.#opaque = opaque;
    // Both are of the connection before: where it ended there, and since when it is overdue.
    this.endsAt = 0;
    if (this.#overdueTimer === undefined) return;
    clearTimeout(this.#overdueTimer);
    this.#overdueTimer = undefined;
    this.markOverdue();
  }

  resolve(reply: RemotingCommand): void {
    clearTimeout(this.#overdueTimer);
    this.#reportEnd(reply);
    this.#resolve?.(reply);
  }

  reject(error: unknown): void {
    clearTimeout(this.#overdueTimer);
    this.#reportEnd(undefined);
    this.#reject?.(error);
  }

  replyWithin(deadline: CallDeadline): Promise<RemotingCommand> {
    const giveUp = (): void => {
      this.abandon();
    };
    return deadline.race(this.reply, this.#what, () => this.outcome, giveUp);
  }

  markOverdue(): void {
    const owner = this.#owner;
    if (owner === undefined || this.#overdueTimer !== undefined) return;
    this.#overdueTimer = setTimeout(() => {
      this.#giveUp();
    }, owner.overdueAfterMs);
    this.#overdueTimer.unref();
  }

  abandon(): void {
    clearTimeout(this.#overdueTimer);
    this.#isAbandoned = true;
    this.#reportEnd(undefined);
    this.#owner?.forget(this);
  }

  /** Its reply is lost, and the other requests of the connection continue; a peer that never took it is stuck. */
  #giveUp(): void {
    const owner = this.#owner;
    if (owner === undefined) return;
    const what = this.#what;
    if (this.outcome === 'not-sent' || owner.hasWritten(this)) {
      this.abandon();
      this.reject(new RequestTimeoutError(`${what}, overdue`, owner.overdueAfterMs, this.outcome));
    } else {
      owner.close(`${what} overdue for ${owner.overdueAfterMs} ms`);
    }
  }

  get #what(): string {
    return `${requestName(this.request.code)} to ${this.#owner?.address ?? 'no server'}`;
  }

  #reportEnd(reply: RemotingCommand | undefined): void {
    const { onEnd } = this;
    if (onEnd === undefined) return;
    this.onEnd = undefined;
    onEnd(reply);
  }
}

/** The submitter gets the rejection from `reply`; this handler keeps one that nobody awaits from ending the process. */
function ignore(): void {}
