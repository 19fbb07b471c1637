import { formatAddress, parseMessagingUrl } from '@sluice/rocketmq';
import { NodeError } from '../errors/node-error.js';

/** Given in place of a Proxy's address by a cluster that has none. */
export const NO_PROXY = 'none';

type Scheme = 'rocketmq' | 'rocketmq+grpc';

/** Thrown when a text does not name servers; its message does not repeat the text. */
export class AddressError extends NodeError {
  constructor(expected: string, cause?: unknown) {
    super('ADDRESS_INVALID', `Expected ${expected}`, { cause });
  }
}

const allowed = {
  rocketmq: 'host:port, several separated by commas or semicolons, or rocketmq://host:port,host:port',
  'rocketmq+grpc': 'host:port, several separated by commas or semicolons, or rocketmq+grpc://host:port,host:port',
} as const satisfies Readonly<Record<Scheme, string>>;

/**
 * Reads the addresses in `host:port` lists and in URLs of one scheme, each as `host:port`. A port may be left out: 9876 of name servers, 8081 of Proxies.
 *
 * @throws AddressError
 */
export function parseAddresses(text: string, scheme: Scheme): readonly string[] {
  const found = /^([a-z+]+):\/\//i.exec(text);
  if (found !== null && found[1] !== scheme) throw new AddressError(allowed[scheme]);
  const list = text
    .slice(found?.[0].length ?? 0)
    .replace(/\/$/, '')
    .split(/[,;]/)
    .map((address) => address.trim())
    .filter((address) => address !== '');
  try {
    const { addresses } = parseMessagingUrl(`${scheme}://${list.join(',')}`);
    return addresses.map(formatAddress);
  } catch (error) {
    throw new AddressError(allowed[scheme], error);
  }
}

/** Returns the host of an address that {@link parseAddresses} gave. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}

/** Makes the URL at which nodes ask each other: a Proxy of the runtime cluster, or its name servers where it has none. */
export function rpcUrl({ grpc, namesrv }: { readonly grpc: string; readonly namesrv: string }): string {
  return grpc === NO_PROXY ? `rocketmq://${namesrv}` : `rocketmq+grpc://${grpc}`;
}
