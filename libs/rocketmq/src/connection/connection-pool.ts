import { setMaxListeners } from 'node:events';
import { backoffMs, pause, type BackoffLimits } from '@sluice/time';
import { ClientClosedError, ConnectFailedError } from '../errors.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { type RequestCode, requestName, STEADY_REQUESTS } from '../wire/request-code.js';
import { CallDeadline } from './call-deadline.js';
import { tell } from './client-event.js';
import { Connection, type ConnectionOptions } from './connection.js';
import type { PendingRequest } from './in-flight-request.js';

interface Slot {
  connection: Connection | undefined;
  connecting: Promise<Connection> | undefined;
  /** Consecutive connections that could not be opened or ended without one frame from the server. */
  failures: number;
  notBefore: number;
}

interface ConnectionPoolOptions extends ConnectionOptions {
  readonly reconnectBackoff: BackoffLimits;
}

/** `steady`: sends, pulls and other short requests. `admin`: lists, look-ups of messages, settings. */
type Lane = 'steady' | 'admin';

/** Returns which of an address's two connections takes a request. */
export function laneOf(code: RequestCode): Lane {
  return STEADY_REQUESTS.has(code) ? 'steady' : 'admin';
}

/**
 * One connection per address and lane, opened at its first use and again at the first use after its end, with back-off.
 */
export class ConnectionPool {
  readonly #slots: Readonly<Record<Lane, Map<string, Slot>>> = { steady: new Map(), admin: new Map() };
  /** All that have not ended, those that leave included. */
  readonly #connections = new Set<Connection>();
  readonly #closing = new AbortController();

  constructor(private readonly options: ConnectionPoolOptions) {
    // Every reader and producer of the client listens.
    setMaxListeners(0, this.#closing.signal);
  }

  /** Aborts when the pool closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Returns the open connection to an address, if there is one now. */
  openConnection(address: string, lane: Lane = 'steady'): Connection | undefined {
    const connection = this.#slots[lane].get(address)?.connection;
    return connection?.isOpen === true ? connection : undefined;
  }

  /** Whether requests can be submitted to an open connection now; otherwise `prepare` comes first. */
  get isPrepared(): boolean {
    return this.options.credentials?.isReady ?? true;
  }

  /** Loads credentials that are due. @throws CredentialsUnavailableError, RequestTimeoutError, RequestAbortedError */
  async prepare(deadline: CallDeadline): Promise<void> {
    if (!this.isPrepared) await this.options.credentials?.load(deadline);
  }

  /** Changes with the credentials that requests are signed with. */
  get credentialsVersion(): number {
    return this.options.credentials?.version ?? 0;
  }

  /** Reloads credentials that a broker refused, unless they are others already. Returns whether they are others now. */
  async renewCredentials(refusedVersion: number, deadline: CallDeadline): Promise<boolean> {
    return (await this.options.credentials?.renew(refusedVersion, deadline)) ?? false;
  }

  /** Returns how long the next attempt to connect has to wait, in ms; 0 for an address that is connected or never failed. */
  backoffRemainingMs(address: string): number {
    const slot = this.#slots.steady.get(address);
    if (slot === undefined || this.openConnection(address) !== undefined) return 0;
    return Math.max(0, slot.notBefore - performance.now());
  }

  /**
   * Returns the open connection, or a new one. All who wait for the same address share one attempt.
   * @throws ConnectFailedError, TlsHandshakeError, CredentialsUnavailableError, ClientClosedError, RequestTimeoutError, RequestAbortedError
   */
  async acquire(address: string, deadline: CallDeadline, what: string, lane: Lane = 'steady'): Promise<Connection> {
    if (this.isClosed) throw new ClientClosedError(what);
    const open = this.openConnection(address, lane);
    if (open !== undefined) return open;
    deadline.throwIfEnded(what);
    await this.prepare(deadline);
    const slot = this.#slotOf(address, lane);
    if (slot.connecting === undefined) {
      const attempt = this.#connect(address, slot, lane);
      slot.connecting = attempt;
      attempt.catch(() => undefined);
    }
    return deadline.race(slot.connecting, what, () => 'not-sent');
  }

  /** Sends one request to an address and waits for its reply. */
  async invoke(address: string, request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    const what = `${requestName(request.code)} to ${address}`;
    deadline.throwIfEnded(what);
    if (!this.isPrepared) await this.prepare(deadline);
    const lane = laneOf(request.code);
    const connection = this.openConnection(address, lane) ?? (await this.acquire(address, deadline, what, lane));
    return connection.invoke(request, deadline);
  }

  /** Ends every connection and every wait for one. */
  async close(): Promise<void> {
    this.#closing.abort();
    const ended: Promise<unknown>[] = [];
    for (const slot of [...this.#slots.steady.values(), ...this.#slots.admin.values()]) {
      if (slot.connecting !== undefined) ended.push(slot.connecting.catch(() => undefined));
    }
    for (const connection of this.#connections) {
      connection.close('the client is closed');
      ended.push(connection.ended);
    }
    await Promise.all(ended);
  }

  #slotOf(address: string, lane: Lane): Slot {
    let slot = this.#slots[lane].get(address);
    if (slot === undefined) {
      slot = { connection: undefined, connecting: undefined, failures: 0, notBefore: 0 };
      this.#slots[lane].set(address, slot);
    }
    return slot;
  }

  async #connect(address: string, slot: Slot, lane: Lane): Promise<Connection> {
    const { signal } = this.#closing;
    try {
      const waitMs = slot.notBefore - performance.now();
      if (waitMs > 0) await pause(waitMs, signal);
      if (signal.aborted) throw new ConnectFailedError(address, 'the client is closed');
      const connection = await Connection.open(address, this.options, signal, (refused) => {
        void this.#move(address, refused, lane);
      });
      slot.connection = connection;
      tell(this.options.onEvent, { kind: 'connection-opened', address });
      this.#connections.add(connection);
      void connection.ended.then(() => {
        this.#connections.delete(connection);
        if (connection.hasReceived) slot.failures = 0;
        else this.#countFailure(slot);
      });
      return connection;
    } catch (error) {
      this.#countFailure(slot);
      if (!signal.aborted) tell(this.options.onEvent, { kind: 'connection-failed', address, error });
      throw error;
    } finally {
      slot.connecting = undefined;
    }
  }

  /** Sends a request again that a server refused unprocessed as it shuts down. The caller's deadline stays. */
  async #move(address: string, refused: PendingRequest, lane: Lane): Promise<void> {
    const { connectTimeoutMs, reconnectBackoff } = this.options;
    const deadline = new CallDeadline(connectTimeoutMs + reconnectBackoff.maxMs, undefined);
    try {
      const what = `${requestName(refused.request.code)} to ${address}`;
      const connection = await this.acquire(address, deadline, what, lane);
      connection.take(refused);
    } catch (error) {
      refused.reject(error);
    }
  }

  #countFailure(slot: Slot): void {
    slot.failures += 1;
    slot.notBefore = performance.now() + backoffMs(slot.failures, this.options.reconnectBackoff);
  }
}
