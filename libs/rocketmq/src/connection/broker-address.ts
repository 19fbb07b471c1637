import { InvalidArgumentError } from '../errors.js';

interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with an IPv6 host in brackets. */
function formatBrokerAddress({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Returns the broker's second port, with threads of its own, which serves all requests but pulls. @throws InvalidArgumentError */
export function vipAddressOf(address: string): string {
  const { host, port } = parseBrokerAddress(address);
  return formatBrokerAddress({ host, port: port - 2 });
}

/**
 * Parses `host:port`; an IPv6 host may stand in brackets.
 * @throws InvalidArgumentError
 */
export function parseBrokerAddress(address: string): BrokerAddress {
  const separator = address.lastIndexOf(':');
  const host = address.slice(0, Math.max(0, separator)).replace(/^\[(.*)\]$/, '$1');
  const portText = address.slice(separator + 1);
  const port = Number(portText);
  if (separator < 0 || host.length === 0 || !/^\d{1,5}$/.test(portText) || port < 1 || port > 65_535) {
    throw new InvalidArgumentError(`address '${address}': expected host:port with a port of 1 to 65535`);
  }
  return { host, port };
}
