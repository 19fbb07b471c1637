import type { CallOptions as GrpcCallOptions, ChannelCredentials, Metadata } from '@grpc/grpc-js';
import { CredentialsCache, type CredentialsSource } from '../connection/credentials.js';
import type { CallDeadline } from '../connection/call-deadline.js';
import type { TlsOptions } from '../connection/tls-settings.js';
import {
  AuthenticationError,
  ClientClosedError,
  ConnectFailedError,
  ConnectionClosedError,
  InvalidArgumentError,
  RequestTimeoutError,
  type RocketMqError,
  TlsHandshakeError,
} from '../errors.js';
import { callMetadata } from './call-metadata.js';
import { grpc, MessagingServiceClient, type MessagingStub, type ServiceError } from './protobuf.js';
import { transportError } from './transport-error.js';

interface Cancellable {
  cancel(): void;
}

export interface ProxyChannelsOptions {
  readonly credentials: CredentialsSource | undefined;
  readonly tls: TlsOptions | undefined;
  /** Replaces an address that the Proxy gives out by the one under which it can be reached from here. */
  readonly mapAddress: (address: string) => string;
}

/** A call as it is started on a stub. */
export interface PreparedCall {
  readonly stub: MessagingStub;
  readonly metadata: Metadata;
  readonly options: GrpcCallOptions;
}

export type UnaryStart<Response> = (call: PreparedCall, done: (error: ServiceError | null, response: Response) => void) => Cancellable;

/** Beyond the largest body (4 MiB) and its properties; grpc's own default of 4 MiB makes such a message unreadable. */
const MAX_RECEIVE_BYTES = 32 * 1024 * 1024;
const MAX_SEND_BYTES = 16 * 1024 * 1024;
/** How long an address that could not be reached comes after the others. */
const DOUBT_MS = 5_000;

const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
  'grpc.max_send_message_length': MAX_SEND_BYTES,
  // Finds connections that died without a word. Heartbeats every 10 s keep the Proxy from counting the pings as too many.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.use_local_subchannel_pool': 1,
} as const;

/** The channels to the proxies of one cluster, one per address, and the calls that run on them. */
export class ProxyChannels {
  readonly #stubs = new Map<string, MessagingStub>();
  readonly #calls = new Set<Cancellable>();
  readonly #doubtedUntil = new Map<string, number>();
  readonly #credentials: CredentialsCache;
  readonly #channelCredentials: ChannelCredentials;
  readonly #channelOptions: Readonly<Record<string, string | number>>;
  readonly #mapAddress: (address: string) => string;
  #isClosed = false;

  /** @throws InvalidArgumentError for credentials or TLS files that cannot be used */
  constructor(options: ProxyChannelsOptions) {
    this.#credentials = new CredentialsCache(options.credentials);
    this.#channelCredentials = channelCredentials(options.tls);
    const servername = options.tls?.servername;
    this.#channelOptions = servername === undefined ? CHANNEL_OPTIONS : { ...CHANNEL_OPTIONS, 'grpc.ssl_target_name_override': servername };
    this.#mapAddress = options.mapAddress;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  setCredentials(credentials: CredentialsSource | undefined): void {
    this.#credentials.set(credentials);
  }

  /** Returns the first address that was not found dead a moment ago; undefined for an empty list only. */
  pick(addresses: readonly string[]): string | undefined {
    const now = performance.now();
    return addresses.find((address) => (this.#doubtedUntil.get(address) ?? 0) <= now) ?? addresses[0];
  }

  /**
   * One request and its answer, by the deadline.
   * @throws RocketMqError for whatever keeps the answer from coming
   */
  async unary<Response>(
    address: string,
    request: string,
    clientId: string,
    deadline: CallDeadline,
    start: UnaryStart<Response>,
  ): Promise<Response> {
    const call = await this.prepare(address, request, clientId, deadline);
    const { signal } = deadline;
    let forget: () => void = () => undefined;
    try {
      const response = await new Promise<Response>((resolve, reject) => {
        const running = start(call, (error, answer) => {
          if (error === null) resolve(answer);
          else reject(this.failure(error, request, address, deadline));
        });
        forget = this.track(running, signal);
      });
      this.#doubtedUntil.delete(address);
      return response;
    } finally {
      forget();
    }
  }

  /**
   * Returns what a call is started with: the stub of the address, the signed headers and the deadline.
   * @throws ClientClosedError, CredentialsUnavailableError, RequestTimeoutError, RequestAbortedError
   */
  async prepare(address: string, request: string, clientId: string, deadline: CallDeadline): Promise<PreparedCall> {
    const what = `${request} at ${address}`;
    if (!this.#credentials.isReady) await this.#credentials.load(deadline);
    deadline.throwIfEnded(what);
    if (this.#isClosed) throw new ClientClosedError(what);
    const metadata = callMetadata(clientId, this.#credentials.current, new Date());
    return { stub: this.#stub(address), metadata, options: { deadline: Date.now() + deadline.remainingMs } };
  }

  /** Has the call cancelled by the signal and by `close`. Returns the function that forgets it. */
  track(call: Cancellable, signal: AbortSignal | undefined): () => void {
    const cancel = (): void => {
      call.cancel();
    };
    this.#calls.add(call);
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
    return () => {
      this.#calls.delete(call);
      signal?.removeEventListener('abort', cancel);
    };
  }

  /** Returns the typed error for a call that failed; what it says about the address and the credentials is remembered. */
  failure(error: ServiceError, request: string, address: string, deadline: CallDeadline): RocketMqError {
    if (this.#isClosed) return new ConnectionClosedError(address, 'unknown', 'the client is closed', error);
    const failure = transportError(error, { request, address, deadline });
    this.noteFailure(address, failure);
    return failure;
  }

  /** Changes with the credentials that calls are signed with. */
  get credentialsVersion(): number {
    return this.#credentials.version;
  }

  /** Reloads credentials that the Proxy refused. Returns whether they are others now. */
  renewCredentials(refusedVersion: number, deadline: CallDeadline): Promise<boolean> {
    return this.#credentials.renew(refusedVersion, deadline);
  }

  noteFailure(address: string, failure: RocketMqError): void {
    if (failure instanceof AuthenticationError) this.#credentials.expire();
    if (
      failure instanceof ConnectFailedError ||
      failure instanceof ConnectionClosedError ||
      failure instanceof TlsHandshakeError ||
      failure instanceof RequestTimeoutError
    ) {
      this.#doubtedUntil.set(address, performance.now() + DOUBT_MS);
    }
  }

  /** Cancels what runs and closes every connection; idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const call of [...this.#calls]) call.cancel();
    for (const stub of this.#stubs.values()) stub.close();
    this.#stubs.clear();
  }

  #stub(address: string): MessagingStub {
    const target = grpcTarget(this.#mapAddress(address));
    const existing = this.#stubs.get(target);
    if (existing !== undefined) return existing;
    const stub = new MessagingServiceClient(target, this.#channelCredentials, this.#channelOptions);
    this.#stubs.set(target, stub);
    return stub;
  }
}

/** grpc reads `[::1]:8081` only with its scheme. */
export function grpcTarget(address: string): string {
  return address.startsWith('[') ? `ipv6:${address}` : `dns:${address}`;
}

function channelCredentials(tls: TlsOptions | undefined): ChannelCredentials {
  if (tls === undefined) return grpc.credentials.createInsecure();
  const { ca, cert, key, rejectUnauthorized } = tls;
  if ((cert === undefined) !== (key === undefined)) {
    throw new InvalidArgumentError('tls: cert and key belong together, one of them is missing');
  }
  try {
    return grpc.credentials.createSsl(pem(ca), pem(key), pem(cert), { rejectUnauthorized: rejectUnauthorized ?? true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new InvalidArgumentError(`tls: ca, cert or key is not usable PEM (${reason})`);
  }
}

function pem(text: TlsOptions['ca']): Buffer | null {
  if (text === undefined) return null;
  if (typeof text === 'string' || Buffer.isBuffer(text)) return Buffer.from(text);
  return Buffer.concat(text.map((part) => Buffer.concat([Buffer.from(part), Buffer.from('\n')])));
}
