import { InvalidArgumentError } from '../errors.js';

const SCHEMES = {
  rocketmq: { protocol: 'remoting', defaultPort: 9876 },
  'rocketmq+grpc': { protocol: 'grpc', defaultPort: 8081 },
} as const;
const SHAPES = "'rocketmq://namesrv:9876' or 'rocketmq+grpc://proxy:8081'";
const MAX_PORT = 65_535;

export interface MessagingAddress {
  /** Name or IP address; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number;
}

export interface MessagingUrl {
  readonly protocol: (typeof SCHEMES)[keyof typeof SCHEMES]['protocol'];
  /** At least one: name servers for `remoting`, proxies for `grpc`. */
  readonly addresses: readonly MessagingAddress[];
}

/**
 * Reads `rocketmq://ns1:9876,ns2:9876` (name servers) and `rocketmq+grpc://proxy1:8081,[::1]:8081` (proxies). A port may
 * be left out: 9876 and 8081. Users, paths and parameters are refused: credentials and TLS are options.
 * @throws InvalidArgumentError; it never shows what stands before an `@`
 */
export function parseMessagingUrl(url: string): MessagingUrl {
  const separator = url.indexOf('://');
  const scheme = separator < 0 ? undefined : url.slice(0, separator);
  if (scheme === undefined || !isScheme(scheme)) {
    const given = scheme === undefined ? 'no scheme' : `the scheme '${withoutUser(scheme)}'`;
    throw new InvalidArgumentError(`cluster URL with ${given}: expected ${SHAPES}`);
  }
  const rest = url.slice(separator + 3).replace(/\/$/, '');
  if (rest.includes('@')) {
    throw new InvalidArgumentError('cluster URL with a user or password: credentials are an option, never in the URL');
  }
  const extra = /[/?#]/.exec(rest)?.[0];
  if (extra !== undefined) {
    throw new InvalidArgumentError(`cluster URL '${scheme}://${rest}': '${extra}' is not allowed, expected ${SHAPES}`);
  }
  const { protocol, defaultPort } = SCHEMES[scheme];
  const addresses = rest.split(',').map((address) => parseAddress(address.trim(), url, defaultPort));
  const unique = new Map(addresses.map((address) => [formatAddress(address), address]));
  return { protocol, addresses: [...unique.values()] };
}

/** `host:port`, with an IPv6 host in brackets. */
export function formatAddress({ host, port }: MessagingAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function isScheme(scheme: string): scheme is keyof typeof SCHEMES {
  return Object.hasOwn(SCHEMES, scheme);
}

function withoutUser(text: string): string {
  return text.slice(text.lastIndexOf('@') + 1);
}

function parseAddress(text: string, url: string, defaultPort: number): MessagingAddress {
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.]+)\]|(?<name>[^\s:[\]]+))(?::(?<port>.*))?$/.exec(text);
  const host = match?.groups?.['ipv6'] ?? match?.groups?.['name'];
  if (host === undefined) {
    throw new InvalidArgumentError(
      `cluster URL '${url}': '${text}' is not host:port; an IPv6 address stands in brackets, several are joined by ','`,
    );
  }
  const portText = match?.groups?.['port'];
  if (portText === undefined) return { host, port: defaultPort };
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port < 1 || port > MAX_PORT) {
    throw new InvalidArgumentError(`cluster URL '${url}': port '${portText}' of '${host}', allowed is 1 to ${MAX_PORT}`);
  }
  return { host, port };
}
