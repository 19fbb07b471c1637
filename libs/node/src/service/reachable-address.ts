import type { AddressInfo } from 'node:net';

/** Where a server that listens is reached, as host:port. One that listens on all addresses is reached by the name of its host. */
export function reachableAddress({ address, family, port }: AddressInfo, hostName: string): string {
  if (address === '0.0.0.0' || address === '::') return `${hostName}:${String(port)}`;
  return family === 'IPv6' ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}
