import { type Socket } from 'node:net';
import {
  ConnectFailedError,
  ConnectionClosedError,
  ConnectionOverloadedError,
  type RequestOutcome,
} from '../errors.js';
import { FrameReader } from '../wire/frame-reader.js';
import {
  decodeCommand,
  encodeRequestHead,
  encodeResponse,
  HEADER_FLAG,
  type HeaderFormat,
  type RemotingCommand,
  type RemotingRequest,
} from '../wire/remoting-codec.js';
import { REQUEST_CODE, requestName } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import { type CredentialsCache } from '../auth/credentials.js';
import { signRequest } from '../auth/sign-request.js';
import { CallDeadline } from './call-deadline.js';
import { openSocket, reasonOf } from './open-socket.js';
import { type TlsSettings } from './tls-settings.js';

export interface ConnectionOptions {
  readonly clientId: string;
  readonly connectTimeoutMs: number;
  readonly headerFormat: HeaderFormat;
  /** Requests are signed with what it holds when they are written. */
  readonly credentials?: CredentialsCache | undefined;
  /** Without it connections are not encrypted. */
  readonly tls?: TlsSettings | undefined;
  /** A server's silence that is answered with a heartbeat. */
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  /** Frames beyond it end the connection. */
  readonly maxFrameBytes: number;
  /** Bytes given to the socket and not yet to the kernel; above it, requests wait. */
  readonly maxUnwrittenBytes: number;
  /** Requests that may wait; above it, they are refused. */
  readonly maxWaitingRequests: number;
  /** A request that stays unanswered that long after its deadline means that the peer is stuck. */
  readonly overdueAfterMs: number;
}

/** One request under way. */
export interface InFlightRequest {
  /** Ends with the reply, or rejects with ConnectionClosedError or ConnectionOverloadedError. */
  readonly reply: Promise<RemotingCommand>;
  readonly outcome: RequestOutcome;
  /** Takes a waiting request back, and forgets one that was written: its late reply is dropped. */
  abandon(): void;
  /** Says that only `reply` still waits: a peer that leaves it unanswered for long is taken for stuck. */
  markOverdue(): void;
}

type State = { readonly kind: 'open' } | { readonly kind: 'leaving' } | { readonly kind: 'closed'; reason: string };

class PendingRequest implements InFlightRequest {
  outcome: RequestOutcome = 'not-sent';
  overdueSince: number | undefined;
  readonly reply: Promise<RemotingCommand>;
  #resolve: ((reply: RemotingCommand) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(
    readonly request: RemotingRequest,
    readonly opaque: number,
    private readonly owner: { forget(pending: PendingRequest): void },
  ) {
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.reply.catch(() => undefined);
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
    this.owner.forget(this);
  }
}

/**
 * One TCP connection: pipelined requests whose replies may come in any order. It is opened once and never reopens;
 * what was under way when it ends rejects with what is known about it.
 *
 * Memory is bounded by the callers: the server sends only what was asked for, and its own requests are answered at once.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #pending = new Map<number, PendingRequest>();
  #waiting: PendingRequest[] = [];
  #state: State = { kind: 'open' };
  #nextOpaque = 1;
  #isCorked = false;
  #lastReceivedAt = performance.now();
  #hasReceived = false;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  #leaveTimer: NodeJS.Timeout | undefined;
  #notifyEnded: (() => void) | undefined;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;

  /** @throws ConnectFailedError, TlsHandshakeError, InvalidArgumentError (as rejections) */
  static async open(address: string, options: ConnectionOptions, signal: AbortSignal): Promise<Connection> {
    const socket = await openSocket(address, options, signal);
    if (socket.destroyed) throw new ConnectFailedError(address, 'closed at once');
    const connection = new Connection(address, socket, options);
    if (signal.aborted) connection.close('the client is closed');
    return connection;
  }

  private constructor(
    readonly address: string,
    socket: Socket,
    private readonly options: ConnectionOptions,
  ) {
    this.#socket = socket;
    this.#reader = new FrameReader(options.maxFrameBytes);
    this.ended = new Promise((resolve) => {
      this.#notifyEnded = resolve;
    });
    const onFrame = (frame: Buffer): void => {
      this.#onFrame(frame);
    };
    socket.on('data', (chunk: Buffer) => {
      this.#lastReceivedAt = performance.now();
      try {
        this.#reader.push(chunk, onFrame);
      } catch (error) {
        this.#end(error instanceof Error ? error.message : 'unreadable stream', error);
      }
    });
    socket.on('drain', () => {
      this.#writeWaiting();
    });
    socket.on('error', (error) => {
      this.#end(reasonOf(error), error);
    });
    socket.on('end', () => {
      this.#end('closed by the server');
    });
    socket.on('close', () => {
      this.#end('closed');
    });
    this.#scheduleHeartbeat(options.heartbeatIntervalMs);
  }

  /** Whether new requests may be submitted. */
  get isOpen(): boolean {
    return this.#state.kind === 'open';
  }

  /** Whether the server ever sent a frame. */
  get hasReceived(): boolean {
    return this.#hasReceived;
  }

  /** Sends a request, or queues it while the peer does not read. Never throws. */
  submit(request: RemotingRequest): InFlightRequest {
    const pending = new PendingRequest(request, this.#takeOpaque(), this);
    if (this.#state.kind !== 'open') {
      pending.reject(new ConnectionClosedError(this.address, 'not-sent', this.#stateReason()));
    } else if (this.#waiting.length > 0 || this.#socket.writableLength > this.options.maxUnwrittenBytes) {
      if (this.#waiting.length >= this.options.maxWaitingRequests) {
        pending.reject(new ConnectionOverloadedError(this.address, this.#waiting.length));
      } else {
        this.#waiting.push(pending);
      }
    } else {
      this.#write(pending);
    }
    return pending;
  }

  /** Submits a request and waits for its reply until the deadline. */
  async invoke(request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    const inFlight = this.submit(request);
    try {
      return await deadline.race(
        inFlight.reply,
        `${requestName(request.code)} to ${this.address}`,
        () => inFlight.outcome,
      );
    } finally {
      inFlight.abandon();
    }
  }

  close(reason: string): void {
    this.#end(reason);
  }

  forget(pending: PendingRequest): void {
    if (this.#pending.get(pending.opaque) === pending) this.#pending.delete(pending.opaque);
    else if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter((other) => other !== pending);
    this.#closeIfLeft();
  }

  #takeOpaque(): number {
    do this.#nextOpaque = this.#nextOpaque >= 0x7f_ff_ff_ff ? 1 : this.#nextOpaque + 1;
    while (this.#pending.has(this.#nextOpaque));
    return this.#nextOpaque;
  }

  #write(pending: PendingRequest): void {
    let head: Buffer;
    try {
      const credentials = this.options.credentials?.current;
      const request = credentials === undefined ? pending.request : signRequest(pending.request, credentials);
      head = encodeRequestHead(request, pending.opaque, this.options.headerFormat);
    } catch (error) {
      pending.reject(error);
      return;
    }
    pending.outcome = 'unknown';
    this.#pending.set(pending.opaque, pending);
    this.#cork();
    this.#socket.write(head);
    if (pending.request.body !== undefined) this.#socket.write(pending.request.body);
  }

  /** Gathers what one turn of the event loop writes into one system call. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#socket.uncork();
    });
  }

  #writeWaiting(): void {
    while (this.#waiting.length > 0 && this.#socket.writableLength <= this.options.maxUnwrittenBytes) {
      const pending = this.#waiting.shift();
      if (pending !== undefined) this.#write(pending);
    }
  }

  #onFrame(frame: Buffer): void {
    if (this.#state.kind === 'closed') return;
    this.#hasReceived = true;
    const command = decodeCommand(frame);
    if ((command.flag & HEADER_FLAG.RESPONSE) === 0) {
      this.#answerServer(command);
      return;
    }
    const pending = this.#pending.get(command.opaque);
    if (pending !== undefined) {
      this.#pending.delete(command.opaque);
      if (command.code === RESPONSE_CODE.GO_AWAY) {
        pending.outcome = 'not-sent';
        pending.reject(new ConnectionClosedError(this.address, 'not-sent', 'the server goes away'));
      } else {
        pending.resolve(command);
      }
    }
    if (command.code === RESPONSE_CODE.GO_AWAY) this.#leave();
    else this.#closeIfLeft();
  }

  /** Servers notify clients of groups, resets and checks; none of it concerns a client without a group. */
  #answerServer(command: RemotingCommand): void {
    if ((command.flag & HEADER_FLAG.ONEWAY) !== 0) return;
    this.#cork();
    const remark = `request ${command.code} not supported`;
    const code = RESPONSE_CODE.REQUEST_CODE_NOT_SUPPORTED;
    this.#socket.write(encodeResponse(code, command.opaque, remark, this.options.headerFormat));
  }

  /** Takes no new requests, lets the pending ones end, then closes. */
  #leave(): void {
    if (this.#state.kind !== 'open') return;
    this.#state = { kind: 'leaving' };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pending of waiting) {
      pending.reject(new ConnectionClosedError(this.address, 'not-sent', this.#stateReason()));
    }
    this.#leaveTimer = setTimeout(() => {
      this.#end('the server goes away');
    }, this.options.overdueAfterMs);
    this.#closeIfLeft();
  }

  #closeIfLeft(): void {
    if (this.#state.kind === 'leaving' && this.#pending.size === 0) this.#end('the server goes away');
  }

  #stateReason(): string {
    switch (this.#state.kind) {
      case 'open':
        return 'open';
      case 'leaving':
        return 'the server goes away';
      case 'closed':
        return this.#state.reason;
    }
  }

  #end(reason: string, cause?: unknown): void {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: 'closed', reason };
    clearTimeout(this.#heartbeatTimer);
    clearTimeout(this.#leaveTimer);
    this.#socket.destroy();
    const unanswered = [...this.#pending.values(), ...this.#waiting];
    this.#pending.clear();
    this.#waiting = [];
    for (const pending of unanswered) {
      pending.reject(new ConnectionClosedError(this.address, pending.outcome, reason, cause));
    }
    this.#notifyEnded?.();
  }

  #scheduleHeartbeat(afterMs: number): void {
    this.#heartbeatTimer = setTimeout(() => {
      const now = performance.now();
      for (const pending of this.#pending.values()) {
        if (pending.overdueSince !== undefined && now - pending.overdueSince > this.options.overdueAfterMs) {
          this.#end(`${requestName(pending.request.code)} overdue for ${this.options.overdueAfterMs} ms`);
          return;
        }
      }
      const silentMs = now - this.#lastReceivedAt;
      if (silentMs < this.options.heartbeatIntervalMs) {
        this.#scheduleHeartbeat(this.options.heartbeatIntervalMs - silentMs);
        return;
      }
      void this.#heartbeat();
    }, afterMs);
    this.#heartbeatTimer.unref();
  }

  /** Any reply will do: it proves that the peer is there and keeps the server from closing an idle connection. */
  async #heartbeat(): Promise<void> {
    const body = Buffer.from(
      JSON.stringify({
        clientID: this.options.clientId,
        heartbeatFingerprint: 0,
        producerDataSet: [],
        consumerDataSet: [],
      }),
    );
    try {
      await this.invoke(
        { code: REQUEST_CODE.HEART_BEAT, ext: {}, body },
        new CallDeadline(this.options.heartbeatTimeoutMs, undefined),
      );
      if (this.#state.kind !== 'closed') this.#scheduleHeartbeat(this.options.heartbeatIntervalMs);
    } catch (error) {
      this.#end('no answer to a heartbeat', error);
    }
  }
}
