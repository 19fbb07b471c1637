import { EventEmitter } from 'node:events';
import { type BaseClient } from 'rocketmq-client-nodejs';
import { abortableDelay, backoffMs } from '../abortable-delay.js';
import { type ClientLogger } from './client-logger.js';
import { messages } from './grpc-module.js';

type Stream = ReturnType<BaseClient['createTelemetryStream']>;
type Command = InstanceType<typeof messages.TelemetryCommand>;

export interface TelemetryStreamOptions {
  /** Opens a stream of the real kind; may throw. */
  readonly open: () => Stream;
  /** What the proxy must hear first on every connection. */
  readonly settings: () => Command;
  readonly logger: ClientLogger;
  /** Called when the proxy has confirmed the settings, and when the connection that confirmed them is gone. */
  readonly onSynced: (isSynced: boolean, reason?: unknown) => void;
}

/**
 * The stream that a client's telemetry session holds: it never ends and never fails. Behind it real streams come and go. The
 * session's own renewal removes its 'error' listener before the stream is through (a late error is then uncaught), renews from a
 * bare timer (what throws there is uncaught) and does so even after shutdown, so it must never see an error or an end.
 */
export class TelemetryStream extends EventEmitter {
  readonly #closing = new AbortController();
  #stream: Stream | undefined;
  #isReconnecting = false;
  #failures = 0;

  constructor(private readonly options: TelemetryStreamOptions) {
    super();
  }

  /** As the duplex stream that the client's types ask for; it uses on, once, write, end and removeAllListeners only. */
  asClientStream(): Stream {
    return this as unknown as Stream;
  }

  write(command: Command): boolean {
    if (this.#closing.signal.aborted) return false;
    if (this.#stream === undefined) {
      // While reconnecting nothing is kept: the new stream starts with the settings anyway.
      if (!this.#isReconnecting) this.#connect(command);
      return true;
    }
    return this.#stream.write(command);
  }

  end(): this {
    this.#closing.abort();
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream !== undefined) {
      // Its 'error' listener stays: cancelling makes it fail.
      stream.end();
      stream.cancel();
    }
    return this;
  }

  #connect(first: Command): void {
    let stream: Stream;
    try {
      stream = this.options.open();
    } catch (error) {
      this.#lost(undefined, error);
      return;
    }
    this.#stream = stream;
    stream.on('data', (command: Command) => {
      this.#deliver(command);
    });
    stream.on('error', (error: Error) => {
      this.#lost(stream, error);
    });
    stream.on('end', () => {
      this.#lost(stream, 'the proxy ended it');
    });
    stream.write(first);
  }

  #deliver(command: Command): void {
    try {
      this.emit('data', command);
      if (command.hasSettings()) {
        this.#failures = 0;
        this.options.onSynced(true);
      }
    } catch (error) {
      this.options.logger.warn('A command of the proxy could not be handled: %s', error);
    }
  }

  #lost(stream: Stream | undefined, reason: unknown): void {
    if (this.#closing.signal.aborted || this.#stream !== stream || this.#isReconnecting) return;
    this.#stream = undefined;
    this.options.onSynced(false, reason);
    stream?.cancel();
    this.options.logger.warn('The telemetry stream is lost: %s', reason);
    this.#isReconnecting = true;
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    this.#failures += 1;
    await abortableDelay(backoffMs(this.#failures), this.#closing.signal);
    this.#isReconnecting = false;
    if (!this.#closing.signal.aborted) this.#connect(this.options.settings());
  }
}
