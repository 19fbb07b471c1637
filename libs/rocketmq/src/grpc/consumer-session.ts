import type { ClientDuplexStream } from '@grpc/grpc-js';
import { CallDeadline } from '../connection/call-deadline.js';
import { ClientClosedError, ConnectionClosedError, RequestTimeoutError, type RocketMqError } from '../errors.js';
import { messages, protocol, resourceOf, type ServiceError } from './protobuf.js';
import type { ProxyChannels } from './proxy-channels.js';
import { isOk, statusError, statusOf } from './status-error.js';

type Command = InstanceType<typeof messages.TelemetryCommand>;
type Stream = ClientDuplexStream<Command, Command>;

export interface ConsumerSessionOptions {
  readonly address: string;
  readonly channels: ProxyChannels;
  readonly clientId: string;
  readonly topic: string;
  readonly group: string;
  readonly settings: InstanceType<typeof protocol.Settings>;
}

/** Keeps the telemetry stream on which the client declares its subscriptions and the Proxy confirms them. */
interface Registration {
  readonly confirmed: Promise<void>;
  readonly end: (reason: RocketMqError) => void;
}

/**
 * Makes a consumer known to one Proxy, which serves no receive to a client whose settings it does not know. The Proxy keeps
 * them while heartbeats come, and forgets them when it restarts. The next `ready` notices what ended a registration and
 * makes another one; nothing runs in between.
 */
export class ConsumerSession {
  readonly #options: ConsumerSessionOptions;
  #registration: Registration | undefined;
  #isClosed = false;

  constructor(options: ConsumerSessionOptions) {
    this.#options = options;
  }

  /** Resolves when the Proxy has confirmed the settings. @throws what it answered instead, or what ended the stream */
  async ready(deadline: CallDeadline): Promise<void> {
    const { address } = this.#options;
    if (this.#isClosed) throw new ClientClosedError(`Telemetry at ${address}`);
    const registration = (this.#registration ??= this.#register(deadline));
    try {
      await deadline.race(registration.confirmed, `Telemetry at ${address}`, () => 'not-sent');
    } catch (error) {
      // A stream that is open and without an answer would keep every later call waiting.
      if (error instanceof RequestTimeoutError) registration.end(error);
      throw error;
    }
  }

  /** Says that the Proxy does not know this client any more. */
  forget(): void {
    this.#registration?.end(new ConnectionClosedError(this.#options.address, 'not-sent', 'the Proxy lost the settings'));
  }

  /** Never rejects: whether the Proxy still knows this client shows at the next receive. */
  async heartbeat(timeoutMs: number): Promise<void> {
    const { address, channels, clientId, group } = this.#options;
    if (this.#registration === undefined) return;
    const request = new messages.HeartbeatRequest().setGroup(resourceOf(group)).setClientType(protocol.ClientType.SIMPLE_CONSUMER);
    try {
      const response = await channels.unary<InstanceType<typeof messages.HeartbeatResponse>>(
        address,
        'Heartbeat',
        clientId,
        new CallDeadline(timeoutMs, undefined),
        ({ stub, metadata, options }, done) => stub.heartbeat(request, metadata, options, done),
      );
      if (!isOk(statusOf(response.getStatus()))) this.forget();
    } catch {
      // The stream ends by itself when its connection does.
    }
  }

  /** Notifies the Proxy that the consumer is gone, for at most `timeoutMs`, and ends the stream. Never rejects. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const registration = this.#registration;
    if (registration === undefined) return;
    const { address, channels, clientId, group } = this.#options;
    const request = new messages.NotifyClientTerminationRequest().setGroup(resourceOf(group));
    try {
      await channels.unary<InstanceType<typeof messages.NotifyClientTerminationResponse>>(
        address,
        'NotifyClientTermination',
        clientId,
        new CallDeadline(timeoutMs, undefined),
        ({ stub, metadata, options }, done) => stub.notifyClientTermination(request, metadata, options, done),
      );
    } catch {
      // The Proxy finds out by itself when heartbeats stop.
    }
    registration.end(new ClientClosedError(`Telemetry at ${address}`));
  }

  #register(deadline: CallDeadline): Registration {
    const { address, channels, topic } = this.#options;
    let stream: Stream | undefined;
    let untrack: () => void = () => undefined;
    let confirm: () => void = () => undefined;
    let refuse: (reason: RocketMqError) => void = () => undefined;
    let isEnded = false;
    const confirmed = new Promise<void>((resolve, reject) => {
      confirm = resolve;
      refuse = reject;
    });
    confirmed.catch(() => undefined);
    const end = (reason: RocketMqError): void => {
      if (isEnded) return;
      isEnded = true;
      if (this.#registration === registration) this.#registration = undefined;
      refuse(reason);
      untrack();
      // Its 'error' listener stays: cancelling makes the stream fail.
      stream?.cancel();
    };
    const registration: Registration = { confirmed, end };
    const onCommand = (command: Command): void => {
      const status = command.getStatus();
      if (status !== undefined && !isOk(statusOf(status))) {
        end(statusError(statusOf(status), { request: 'Telemetry', address, topic }));
      } else if (command.hasSettings()) {
        confirm();
      }
    };
    const onFailure = (error: ServiceError): void => {
      if (!isEnded) end(channels.failure(error, 'Telemetry', address, deadline));
    };
    void this.#open(deadline, (opened) => {
      stream = opened;
      stream.on('data', onCommand);
      stream.on('error', onFailure);
      stream.on('end', () => {
        end(new ConnectionClosedError(address, 'not-sent', 'the Proxy ended the telemetry stream'));
      });
      untrack = channels.track(stream, undefined);
      if (isEnded) stream.cancel();
      else stream.write(new messages.TelemetryCommand().setSettings(this.#options.settings));
    }).catch(end);
    return registration;
  }

  async #open(deadline: CallDeadline, use: (stream: Stream) => void): Promise<void> {
    const { address, channels, clientId } = this.#options;
    const { stub, metadata } = await channels.prepare(address, 'Telemetry', clientId, deadline);
    use(stub.telemetry(metadata));
  }
}

/** Returns the settings of a consumer that asks for messages and acknowledges them one by one. */
export function consumerSettings(consumer: {
  readonly topic: string;
  readonly group: string;
  readonly filter: string;
  readonly accessPoint: InstanceType<typeof protocol.Endpoints>;
  readonly requestTimeout: unknown;
  readonly hostname: string;
}): InstanceType<typeof protocol.Settings> {
  const subscription = new protocol.Subscription().setGroup(resourceOf(consumer.group));
  subscription.addSubscriptions().setTopic(resourceOf(consumer.topic)).setExpression(tagExpression(consumer.filter));
  const userAgent = new protocol.UA().setLanguage(protocol.Language.NODE_JS).setPlatform(process.platform).setHostname(consumer.hostname);
  return new protocol.Settings()
    .setClientType(protocol.ClientType.SIMPLE_CONSUMER)
    .setAccessPoint(consumer.accessPoint)
    .setRequestTimeout(consumer.requestTimeout)
    .setSubscription(subscription)
    .setUserAgent(userAgent);
}

export function tagExpression(filter: string): InstanceType<typeof protocol.FilterExpression> {
  return new protocol.FilterExpression().setType(protocol.FilterType.TAG).setExpression(filter);
}
