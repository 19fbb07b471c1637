import { isIPv4 } from 'node:net';
import { RPC_ERROR_CODES, RpcError } from '../rpc-error.js';
import { type ResolvedRpcEndpointOptions } from '../rpc-endpoint-options.js';
import { type ChannelCredentials, grpcCredentials, MessagingServiceClient, type MessagingStub } from './grpc-module.js';

interface Cancellable {
  cancel(): void;
}

export interface ProxyEndpoints {
  readonly addressesList: readonly { readonly host: string; readonly port: number }[];
}

const CHANNEL_OPTIONS = {
  // The client's own channels stop at grpc's 4 MiB, which a 4 MiB body with its properties exceeds: a batch that can never be read.
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // The client sets no keepalive, so a half-open connection would look alive until the kernel gives up. Heartbeats every 10 s keep the
  // server from counting the pings as too many.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // grpc's default is up to 2 min between attempts to connect.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  'grpc.use_local_subchannel_pool': 1,
} as const;

/**
 * One channel per proxy address. The client keys its channels by the identity of an Endpoints object and makes new objects at every
 * route refresh, so it opens a channel per refresh and keeps each for 30 min; it also knows neither keepalive nor a CA.
 */
export class GrpcChannels {
  readonly #stubs = new Map<string, MessagingStub>();
  readonly #calls = new Set<Cancellable>();
  readonly #credentials: ChannelCredentials;
  #isClosed = false;

  constructor(private readonly options: Pick<ResolvedRpcEndpointOptions, 'tls' | 'mapAddress'>) {
    const { tls } = options;
    this.#credentials =
      tls === undefined
        ? grpcCredentials.createInsecure()
        : grpcCredentials.createSsl(tls.ca ?? null, tls.key ?? null, tls.cert ?? null);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws RpcError RPC_STOPPED after close(). */
  stub(endpoints: ProxyEndpoints): MessagingStub {
    if (this.#isClosed) throw new RpcError(RPC_ERROR_CODES.stopped, 'The transport is stopped');
    const target = this.#target(endpoints);
    const existing = this.#stubs.get(target);
    if (existing !== undefined) return existing;
    const stub = new MessagingServiceClient(target, this.#credentials, CHANNEL_OPTIONS);
    this.#stubs.set(target, stub);
    return stub;
  }

  /** Keeps a call so that close() can cancel it. Returns the function that forgets it. */
  track(call: Cancellable): () => void {
    this.#calls.add(call);
    return () => {
      this.#calls.delete(call);
    };
  }

  /** Cancels what runs and closes every connection; idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const call of [...this.#calls]) call.cancel();
    for (const stub of this.#stubs.values()) stub.close();
    this.#stubs.clear();
  }

  /** The client joins several addresses with commas, which grpc reads as an unknown scheme; grpc's list form is `ipv4:a:1,b:2`. */
  #target(endpoints: ProxyEndpoints): string {
    const addresses = endpoints.addressesList.map(({ host, port }) => this.options.mapAddress(`${host}:${port}`));
    const [first] = addresses;
    if (first === undefined) throw new RpcError(RPC_ERROR_CODES.refused, 'The proxy advertised no address');
    if (addresses.length === 1) return first;
    if (addresses.every((address) => isIPv4(address.slice(0, address.lastIndexOf(':')))))
      return `ipv4:${addresses.join(',')}`;
    throw new RpcError(
      RPC_ERROR_CODES.refused,
      `Several endpoints must all be IPv4 addresses, but they are ${addresses.join(', ')}`,
    );
  }
}
