import type { Socket } from 'node:net';
import { ConnectFailedError, ConnectionClosedError, ConnectionOverloadedError, FrameTooLargeError, TlsHandshakeError } from '../errors.js';
import { FrameReader } from '../wire/frame-reader.js';
import {
  decodeRemotingCommand,
  encodeRequest,
  encodeResponse,
  HEADER_FLAG,
  type HeaderFormat,
  type RemotingCommand,
  type RemotingRequest,
} from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { RESPONSE_CODE } from '../wire/response-code.js';
import type { CredentialsCache } from './credentials.js';
import { signRequest } from './sign-request.js';
import { CallDeadline } from './call-deadline.js';
import { type ClientEventListener, tell, reportEndOf } from './client-event.js';
import { type InFlightRequest, PendingRequest } from './in-flight-request.js';
import { isTlsError, openSocket, reasonOf, type SocketReads } from './open-socket.js';
import type { TlsSettings } from './tls-settings.js';

export interface ConnectionOptions {
  readonly clientId: string;
  readonly connectTimeoutMs: number;
  readonly headerFormat: HeaderFormat;
  /** Takes what the server asks or reports by itself. */
  readonly onNotice?: ((connection: Connection, notice: RemotingCommand) => void) | undefined;
  /** Called for connections and requests. */
  readonly onEvent?: ClientEventListener | undefined;
  /** Requests are signed with what it holds when they are written. */
  readonly credentials?: CredentialsCache | undefined;
  /** Without it connections are not encrypted. */
  readonly tls?: TlsSettings | undefined;
  /** A server's silence that is answered with a heartbeat. */
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  /** An answer beyond it is not read: its request fails. */
  readonly maxFrameBytes: number;
  /** Bytes given to the socket and not yet to the kernel; above it, requests wait. */
  readonly maxUnwrittenBytes: number;
  /** Requests that may wait; above it, they are refused. */
  readonly maxWaitingRequests: number;
  /** A reply that does not come within that time after its request's deadline is lost. */
  readonly overdueAfterMs: number;
}

/** Takes a request that the server refused unprocessed because it shuts down. */
type MoveRequest = (refused: PendingRequest) => void;

type State = { readonly kind: 'open' } | { readonly kind: 'leaving' | 'closed'; readonly reason: string };

const LEAVING = 'the server shuts down';

/**
 * One TCP connection: pipelined requests whose replies may come in any order. It is opened once and never reopens;
 * what was under way when it ends rejects with what is known about it. A request that the server refuses because it goes
 * away (GO_AWAY) is given to `moveRequest`, once.
 *
 * The callers bound the memory. The server sends only what they asked for, so the connection always reads the socket, and
 * a slow reader asks for less. The connection answers the server's own requests at once, or not at all while the server
 * does not read.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #takeFrame = this.#onFrame.bind(this);
  readonly #takeOversized = this.#onOversized.bind(this);
  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.#socket.uncork();
  };
  readonly #pending = new Map<number, PendingRequest>();
  #waiting: PendingRequest[] = [];
  #state: State = { kind: 'open' };
  #nextOpaque = 1;
  #submittedBytes = 0;
  #isCorked = false;
  #lastReceivedAt = performance.now();
  #hasReceived = false;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  #leaveTimer: NodeJS.Timeout | undefined;
  #notifyEnded: (() => void) | undefined;
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>;

  /** @throws ConnectFailedError, TlsHandshakeError, InvalidArgumentError (as rejections) */
  static async open(address: string, options: ConnectionOptions, signal: AbortSignal, moveRequest?: MoveRequest): Promise<Connection> {
    const reader = new FrameReader(options.maxFrameBytes);
    const early: Buffer[] = [];
    const reads: SocketReads = {
      space: () => reader.space,
      onBytes: (count) => {
        reader.filled(count, (frame, isLent) => early.push(isLent ? Buffer.from(frame) : frame));
      },
    };
    const socket = await openSocket(address, options, signal, reads);
    if (socket.destroyed) throw new ConnectFailedError(address, 'closed at once');
    const connection = new Connection(address, socket, reader, options, moveRequest);
    reads.onBytes = (count) => {
      connection.#onBytes(count);
    };
    for (const frame of early) connection.#onFrame(frame, false);
    const onAbort = (): void => {
      connection.close('the client is closed');
    };
    if (signal.aborted) onAbort();
    else if (options.tls !== undefined) {
      signal.addEventListener('abort', onAbort, { once: true });
      await connection.#confirm().finally(() => {
        signal.removeEventListener('abort', onAbort);
      });
    }
    return connection;
  }

  private constructor(
    readonly address: string,
    socket: Socket,
    private readonly reader: FrameReader,
    private readonly options: ConnectionOptions,
    private readonly moveRequest: MoveRequest | undefined,
  ) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => {
      this.#notifyEnded = resolve;
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
    const pending = new PendingRequest(request);
    this.take(pending);
    return pending;
  }

  /** As `submit`, for a request that another connection's server refused. */
  take(pending: PendingRequest): void {
    if (pending.isAbandoned) return;
    pending.belongTo(this, this.#takeOpaque());
    if (this.options.onEvent !== undefined) reportEndOf(pending, this.address, this.options.onEvent);
    if (this.#state.kind !== 'open') {
      pending.reject(new ConnectionClosedError(this.address, 'not-sent', this.#state.reason));
    } else if (this.#waiting.length > 0 || this.#socket.writableLength > this.options.maxUnwrittenBytes) {
      if (this.#waiting.length >= this.options.maxWaitingRequests) {
        pending.reject(new ConnectionOverloadedError(this.address, this.#waiting.length));
      } else {
        this.#waiting.push(pending);
      }
    } else {
      this.#write(pending);
    }
  }

  /** Submits a request and waits for its reply until the deadline. */
  invoke(request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    return this.submit(request).replyWithin(deadline);
  }

  close(reason: string): void {
    this.#end(reason);
  }

  forget(pending: PendingRequest): void {
    if (this.#pending.get(pending.opaque) === pending) this.#pending.delete(pending.opaque);
    else if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter((other) => other !== pending);
    this.#closeIfLeft();
  }

  get overdueAfterMs(): number {
    return this.options.overdueAfterMs;
  }

  hasWritten({ endsAt }: PendingRequest): boolean {
    return this.#submittedBytes - this.#socket.writableLength >= endsAt;
  }

  #takeOpaque(): number {
    do this.#nextOpaque = this.#nextOpaque >= 0x7f_ff_ff_ff ? 1 : this.#nextOpaque + 1;
    while (this.#pending.has(this.#nextOpaque));
    return this.#nextOpaque;
  }

  #write(pending: PendingRequest): void {
    let pieces: readonly Uint8Array[];
    try {
      pending.requireWanted();
      const credentials = this.options.credentials?.current;
      const request = credentials === undefined ? pending.request : signRequest(pending.request, credentials);
      pieces = encodeRequest(request, pending.opaque, this.options.headerFormat);
    } catch (error) {
      pending.reject(error);
      return;
    }
    pending.outcome = 'unknown';
    this.#pending.set(pending.opaque, pending);
    this.#cork();
    for (const piece of pieces) {
      this.#submittedBytes += piece.length;
      this.#socket.write(piece);
    }
    pending.endsAt = this.#submittedBytes;
  }

  /**
   * Gathers requests into one system call. They are those of one callback, or of all reads in a row while the socket has
   * more bytes at hand.
   */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    if (this.reader.hasFilledSpace) setImmediate(this.#uncork);
    else process.nextTick(this.#uncork);
  }

  #writeWaiting(): void {
    while (this.#waiting.length > 0 && this.#socket.writableLength <= this.options.maxUnwrittenBytes) {
      const pending = this.#waiting.shift();
      if (pending !== undefined) this.#write(pending);
    }
  }

  #onBytes(count: number): void {
    if (this.#state.kind === 'closed') return;
    this.#lastReceivedAt = performance.now();
    try {
      this.reader.filled(count, this.#takeFrame, this.#takeOversized);
    } catch (error) {
      this.#end(error instanceof Error ? error.message : 'unreadable stream', error);
    }
  }

  /** Only the request whose answer is too long fails; the bytes are passed over. */
  #onOversized(head: Buffer, frameBytes: number): void {
    this.#hasReceived = true;
    const command = decodeRemotingCommand(head);
    if ((command.flag & HEADER_FLAG.RESPONSE) === 0) return;
    const pending = this.#pending.get(command.opaque);
    this.#pending.delete(command.opaque);
    pending?.reject(new FrameTooLargeError(frameBytes, this.options.maxFrameBytes));
    this.#closeIfLeft();
  }

  #onFrame(frame: Buffer, isLent: boolean): void {
    if (this.#state.kind === 'closed') return;
    this.#hasReceived = true;
    const command = decodeRemotingCommand(frame, isLent);
    if ((command.flag & HEADER_FLAG.RESPONSE) === 0) {
      this.#answerServer(command);
      return;
    }
    const pending = this.#pending.get(command.opaque);
    this.#pending.delete(command.opaque);
    if (command.code === RESPONSE_CODE.GO_AWAY) {
      this.#leave(pending);
    } else {
      pending?.resolve(command);
      this.#closeIfLeft();
    }
  }

  /** What servers tell the members of a group needs no answer; what they ask is not served. */
  #answerServer(command: RemotingCommand): void {
    this.options.onNotice?.(this, command);
    const isUnread = this.#socket.writableLength > this.options.maxUnwrittenBytes;
    if ((command.flag & HEADER_FLAG.ONEWAY) !== 0 || isUnread) return;
    this.#cork();
    const remark = `request ${command.code} not supported`;
    const code = RESPONSE_CODE.REQUEST_CODE_NOT_SUPPORTED;
    this.#socket.write(encodeResponse(code, command.opaque, remark, this.options.headerFormat));
  }

  /** Takes no new requests, gives back what was refused and what waits, lets the pending ones end, then closes. */
  #leave(refused: PendingRequest | undefined): void {
    const isFirst = this.#state.kind === 'open';
    this.#state = { kind: 'leaving', reason: LEAVING };
    if (refused !== undefined) this.#giveBack(refused);
    for (const pending of this.#waiting.splice(0)) this.#giveBack(pending);
    if (isFirst) {
      this.#leaveTimer = setTimeout(() => {
        this.#end(LEAVING);
      }, this.options.overdueAfterMs);
    }
    this.#closeIfLeft();
  }

  #giveBack(pending: PendingRequest): void {
    pending.outcome = 'not-sent';
    if (pending.isMoved || this.moveRequest === undefined) {
      pending.reject(new ConnectionClosedError(this.address, 'not-sent', LEAVING));
    } else {
      pending.isMoved = true;
      this.moveRequest(pending);
    }
  }

  #closeIfLeft(): void {
    if (this.#state.kind === 'leaving' && this.#pending.size === 0) this.#end(LEAVING);
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
    tell(this.options.onEvent, { kind: 'connection-ended', address: this.address, reason });
    this.#notifyEnded?.();
  }

  #scheduleHeartbeat(afterMs: number): void {
    this.#heartbeatTimer = setTimeout(() => {
      const now = performance.now();
      const silentMs = now - this.#lastReceivedAt;
      if (silentMs < this.options.heartbeatIntervalMs) {
        this.#scheduleHeartbeat(this.options.heartbeatIntervalMs - silentMs);
        return;
      }
      void this.#heartbeat();
    }, afterMs);
    this.#heartbeatTimer.unref();
  }

  async #heartbeat(): Promise<void> {
    const sentAt = performance.now();
    try {
      await this.#askForLife();
    } catch (error) {
      // A process that was busy for long has not read yet what has come: the socket gets its turn.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#lastReceivedAt < sentAt) this.#end('no answer to a heartbeat', error);
    }
    if (this.#state.kind !== 'closed') this.#scheduleHeartbeat(this.options.heartbeatIntervalMs);
  }

  /** Any reply will do: it proves that the peer is there and keeps the server from closing an idle connection. */
  async #askForLife(): Promise<void> {
    const clientID = this.options.clientId;
    const heartbeat = { clientID, heartbeatFingerprint: 0, producerDataSet: [], consumerDataSet: [] };
    await this.invoke(
      { code: REQUEST_CODE.HEART_BEAT, ext: {}, body: Buffer.from(JSON.stringify(heartbeat)) },
      new CallDeadline(this.options.heartbeatTimeoutMs, undefined),
    );
  }

  /** With TLS 1.3 a server judges the client's certificate when the client takes the handshake for done already. */
  async #confirm(): Promise<void> {
    try {
      await this.#askForLife();
    } catch (error) {
      const reason = error instanceof ConnectionClosedError ? error.reason : 'no answer to the first request';
      const cause = error instanceof ConnectionClosedError ? error.cause : error;
      this.#end(reason, cause);
      throw isTlsError(cause)
        ? new TlsHandshakeError(this.address, reason, cause)
        : new ConnectFailedError(this.address, `after the TLS handshake: ${reason}`, cause);
    }
  }
}
