import { type BaseClient, RpcClientManager } from 'rocketmq-client-nodejs';
import { type ClientLogger } from './client-logger.js';
import { type GrpcChannels } from './grpc-channels.js';
import { messages } from './grpc-module.js';

type Manager = RpcClientManager;
type Endpoints = Parameters<Manager['heartbeat']>[0];
type Reply<
  Method extends
    'queryRoute' | 'heartbeat' | 'sendMessage' | 'ackMessage' | 'changeInvisibleDuration' | 'notifyClientTermination',
> = ReturnType<Manager[Method]>;
type Done<T> = (error: Error | null, response: T) => void;

const TERMINATION_TIMEOUT_MS = 1_000;

/** Gives a client the channels of {@link GrpcChannels} in place of its own. The calls that nobody makes here stay as they are. */
export class ChannelRpcManager extends RpcClientManager {
  readonly #client: BaseClient;
  readonly #channels: GrpcChannels;

  constructor(client: BaseClient, logger: ClientLogger, channels: GrpcChannels) {
    super(client, logger);
    // Ends the timer that looks for idle channels: there are none of its own.
    super.close();
    this.#client = client;
    this.#channels = channels;
  }

  /** The channels are shared by the producer and the consumer: whoever made them closes them. */
  override close(): void {
    return;
  }

  override queryRoute(
    endpoints: Endpoints,
    request: Parameters<Manager['queryRoute']>[1],
    timeoutMs: number,
  ): Reply<'queryRoute'> {
    return this.#unary(timeoutMs, (options, done) =>
      this.#channels.stub(endpoints).queryRoute(request, this.#client.getRequestMetadata(), options, done),
    );
  }

  override heartbeat(
    endpoints: Endpoints,
    request: Parameters<Manager['heartbeat']>[1],
    timeoutMs: number,
  ): Reply<'heartbeat'> {
    return this.#unary(timeoutMs, (options, done) =>
      this.#channels.stub(endpoints).heartbeat(request, this.#client.getRequestMetadata(), options, done),
    );
  }

  override sendMessage(
    endpoints: Endpoints,
    request: Parameters<Manager['sendMessage']>[1],
    timeoutMs: number,
  ): Reply<'sendMessage'> {
    return this.#unary(timeoutMs, (options, done) =>
      this.#channels.stub(endpoints).sendMessage(request, this.#client.getRequestMetadata(), options, done),
    );
  }

  override ackMessage(
    endpoints: Endpoints,
    request: Parameters<Manager['ackMessage']>[1],
    timeoutMs: number,
  ): Reply<'ackMessage'> {
    return this.#unary(timeoutMs, (options, done) =>
      this.#channels.stub(endpoints).ackMessage(request, this.#client.getRequestMetadata(), options, done),
    );
  }

  override changeInvisibleDuration(
    endpoints: Endpoints,
    request: Parameters<Manager['changeInvisibleDuration']>[1],
    timeoutMs: number,
  ): Reply<'changeInvisibleDuration'> {
    return this.#unary(timeoutMs, (options, done) =>
      this.#channels.stub(endpoints).changeInvisibleDuration(request, this.#client.getRequestMetadata(), options, done),
    );
  }

  /** shutdown() gives up before it releases its sessions when this rejects, and the process then never exits: so it does not. */
  override async notifyClientTermination(
    endpoints: Endpoints,
    request: Parameters<Manager['notifyClientTermination']>[1],
    timeoutMs: number,
  ): Reply<'notifyClientTermination'> {
    try {
      return await this.#unary(Math.min(timeoutMs, TERMINATION_TIMEOUT_MS), (options, done) =>
        this.#channels
          .stub(endpoints)
          .notifyClientTermination(request, this.#client.getRequestMetadata(), options, done),
      );
    } catch {
      return new messages.NotifyClientTerminationResponse();
    }
  }

  override telemetry(
    endpoints: Endpoints,
    metadata: Parameters<Manager['telemetry']>[1],
  ): ReturnType<Manager['telemetry']> {
    return this.#channels.stub(endpoints).telemetry(metadata);
  }

  async #unary<T>(
    timeoutMs: number,
    start: (options: { deadline: number }, done: Done<T>) => { cancel(): void },
  ): Promise<T> {
    let forget: () => void = () => undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        const call = start({ deadline: Date.now() + timeoutMs }, (error, response) => {
          if (error === null) resolve(response);
          else reject(error);
        });
        forget = this.#channels.track(call);
      });
    } finally {
      forget();
    }
  }
}
