import { type BaseClient } from 'rocketmq-client-nodejs';
import { RPC_ERROR_CODES, RpcError, type RpcErrorCode } from '../rpc-error.js';
import { abortableDelay } from '../abortable-delay.js';
import { ChannelRpcManager } from './channel-rpc-manager.js';
import { type ClientLogger } from './client-logger.js';
import { type GrpcChannels } from './grpc-channels.js';
import { rootMessage } from './link-error.js';
import { TelemetryStream } from './telemetry-stream.js';
import { withinTime } from '../within-time.js';

type Endpoints = ReturnType<BaseClient['getEndpoints']>;

const SHUTDOWN_TIMEOUT_MS = 3_000;

/** What the producer and the consumer of a node need alike to start, live and end well. */
export class ClientGuard {
  readonly #streams = new Set<TelemetryStream>();
  readonly #synced = new Map<string, boolean>();
  readonly #syncWaiters = new Set<() => void>();
  readonly #stopping = new AbortController();
  #lastLoss: unknown;

  constructor(
    readonly channels: GrpcChannels,
    readonly logger: ClientLogger,
  ) {}

  /** Replaces the channels that the client made for itself; called at the end of its constructor. */
  takeOver(client: BaseClient): void {
    client.getRpcClientManager().close();
    Object.defineProperty(client, 'rpcClientManager', {
      value: new ChannelRpcManager(client, this.logger, this.channels),
    });
  }

  assertRunning(): void {
    if (this.#stopping.signal.aborted) throw new RpcError(RPC_ERROR_CODES.stopped, 'The transport is stopped');
  }

  /** The pause between startup()'s attempts for the route: its own timer outlives shutdown(), and startup() would then go on. */
  async pause(delayMs: number): Promise<void> {
    await abortableDelay(delayMs, this.#stopping.signal);
    this.assertRunning();
  }

  openTelemetry(
    client: BaseClient,
    endpoints: Endpoints,
    open: () => ReturnType<BaseClient['createTelemetryStream']>,
  ): TelemetryStream {
    const stream = new TelemetryStream({
      open,
      settings: () => client.settingsCommand(),
      logger: this.logger,
      onSynced: (isSynced, reason) => {
        this.#lastLoss = isSynced ? undefined : reason;
        this.#synced.set(endpoints.facade, isSynced);
        for (const wake of [...this.#syncWaiters]) wake();
      },
    });
    this.#streams.add(stream);
    if (this.#stopping.signal.aborted) stream.end();
    return stream;
  }

  /** Resolves when the proxy at `endpoints` has confirmed this client's settings: it serves nothing to a client it does not know. */
  async whenSynced(endpoints: Endpoints, timeoutMs: number): Promise<void> {
    let wake: () => void = () => undefined;
    const synced = new Promise<void>((resolve) => {
      wake = () => {
        if (this.#stopping.signal.aborted || this.#synced.get(endpoints.facade) === true) resolve();
      };
    });
    this.#syncWaiters.add(wake);
    wake();
    try {
      await withinTime(synced, timeoutMs, () =>
        this.#notSynced(
          RPC_ERROR_CODES.unavailable,
          `The proxy at ${endpoints.facade} did not confirm the settings within ${timeoutMs} ms`,
        ),
      );
    } finally {
      this.#syncWaiters.delete(wake);
    }
    this.assertRunning();
  }

  /** startup() waits for the proxy's settings without any limit, and for ever when they came before it began to wait. */
  start(client: BaseClient, timeoutMs: number, what: string): Promise<void> {
    return withinTime(client.startup(), timeoutMs, () =>
      this.#notSynced(RPC_ERROR_CODES.startupFailed, `${what}: no settings from the proxy within ${timeoutMs} ms`),
    );
  }

  /** The proxy says on the telemetry stream what it does not like, e.g. a missing group, and nowhere else. */
  #notSynced(code: RpcErrorCode, message: string): RpcError {
    const cause = this.#lastLoss;
    const reason = cause === undefined ? '' : `; the telemetry stream was lost: ${rootMessage(cause)}`;
    return new RpcError(code, `${message}${reason}`, { retriable: true, cause });
  }

  /** Ends what startup() may still be doing, then the client. Never rejects, takes a bounded time. */
  async stop(client: BaseClient): Promise<void> {
    this.#stopping.abort();
    for (const wake of [...this.#syncWaiters]) wake();
    try {
      await withinTime(
        client.shutdown(),
        SHUTDOWN_TIMEOUT_MS,
        () => new Error(`shutdown took more than ${SHUTDOWN_TIMEOUT_MS} ms`),
      );
    } catch (error) {
      this.logger.warn('The client %s did not shut down cleanly: %s', client.clientId, error);
    }
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }
}
