import type { CredentialsSource } from '../connection/credentials.js';
import type { TlsOptions } from '../connection/tls-settings.js';
import type { GrpcMessagingOptions } from '../grpc/grpc-messaging.js';
import type { MessagingCluster } from './message-port.js';
import { formatAddress, parseMessagingUrl } from './messaging-url.js';
import { RemotingMessaging } from './remoting/remoting-messaging.js';

export interface OpenMessagingOptions {
  /** Signs every request. A function is asked again about once per second of use, so new credentials need no restart. */
  readonly credentials?: CredentialsSource | undefined;
  readonly tls?: TlsOptions | undefined;
  readonly clientId?: string | undefined;
  /** Default limit of every call. Default 3 s. */
  readonly requestTimeoutMs?: number | undefined;
  /** The brokers' `maxMessageSize`. Default 4 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** What concerns the Proxy only. */
  readonly grpc?:
    | Pick<GrpcMessagingOptions, 'batchSend' | 'mapAddress' | 'maxBodyBytes' | 'maxConcurrentRequests' | 'pollMs' | 'pollsPerBroker'>
    | undefined;
}

/**
 * Opens a cluster by its URL: `rocketmq://namesrv:9876,…` for the remoting protocol, `rocketmq+grpc://proxy:8081,…` for
 * the Proxy, whose code is loaded only then. Nothing connects before the first use.
 * @throws InvalidArgumentError
 */
export async function openMessaging(url: string, options: OpenMessagingOptions = {}): Promise<MessagingCluster> {
  const { addresses, protocol } = parseMessagingUrl(url);
  const { grpc, ...common } = options;
  switch (protocol) {
    case 'remoting':
      return new RemotingMessaging({
        ...definedOf(common),
        namesrv: addresses.map(formatAddress).join(','),
      });
    case 'grpc': {
      const { GrpcMessaging } = await import('../grpc/index.js');
      return new GrpcMessaging({ ...grpc, ...common, proxies: addresses });
    }
  }
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function definedOf<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}
