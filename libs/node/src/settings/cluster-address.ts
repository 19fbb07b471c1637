import { formatAddress, parseMessagingUrl } from '@sluice/rocketmq';

/** Given in place of a Proxy's address by a cluster that has none. */
export const noProxy = 'none';

type Scheme = 'rocketmq' | 'rocketmq+grpc';

/** Thrown when a text does not name servers; its message does not repeat the text. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

const allowed = {
  rocketmq: 'host:port, several separated by commas or semicolons, or rocketmq://host:port,host:port',
  'rocketmq+grpc': 'host:port, several separated by commas or semicolons, or rocketmq+grpc://host:port,host:port',
} as const satisfies Readonly<Record<Scheme, string>>;

/**
 * The addresses in `host:port` lists and in URLs of one scheme, each as `host:port`. A port may be left out: 9876 of name servers, 8081 of Proxies.
 *
 * @throws AddressError
 */
export function parseAddresses(text: string, scheme: Scheme): readonly string[] {
  const wrong = new AddressError(`Expected ${allowed[scheme]}`);
  const found = /^([a-z+]+):\/\//i.exec(text);
  if (found !== null && found[1] !== scheme) throw wrong;
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
    wrong.cause = error;
    throw wrong;
  }
}

/** Returns the host of an address that {@link parseAddresses} gave. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
