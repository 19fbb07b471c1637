import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { InvalidArgumentError } from '../errors.js';

/** Where a message stands: the broker's address at the time of storing, and the position in its commit log. */
export interface MessagePosition {
  /** IPv4 or IPv6 address. */
  readonly host: string;
  readonly port: number;
  readonly commitLogOffset: number;
}

const V4_BYTES = 4;
const V6_BYTES = 16;
const PORT_AND_OFFSET_BYTES = 12;
const MAX_PORT = 65_535;

/**
 * Returns the id that a broker gives to a stored message (RocketMQ's `offsetMsgId`). It is upper-case hex of the address
 * (4 or 16 bytes), the port (int32) and the commit log offset (int64), all big-endian.
 * @throws InvalidArgumentError
 */
export function encodeOffsetMessageId({ host, port, commitLogOffset }: MessagePosition): string {
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) {
    throw new InvalidArgumentError(`port ${port}: allowed are integers 0 to ${MAX_PORT}`);
  }
  if (!Number.isSafeInteger(commitLogOffset) || commitLogOffset < 0) {
    throw new InvalidArgumentError(`commitLogOffset ${commitLogOffset}: allowed are integers from 0`);
  }
  const tail = Buffer.alloc(PORT_AND_OFFSET_BYTES);
  tail.writeInt32BE(port, 0);
  tail.writeBigInt64BE(BigInt(commitLogOffset), 4);
  return Buffer.concat([addressBytes(host), tail])
    .toString('hex')
    .toUpperCase();
}

/** @throws InvalidArgumentError when the text is not such an id or its offset is beyond 2^53 */
export function decodeOffsetMessageId(id: string): MessagePosition {
  const bytes = Buffer.from(/^[0-9a-fA-F]+$/.test(id) ? id : '', 'hex');
  const hostBytes = bytes.length - PORT_AND_OFFSET_BYTES;
  const isWhole = bytes.length * 2 === id.length && (hostBytes === V4_BYTES || hostBytes === V6_BYTES);
  if (!isWhole) throw new InvalidArgumentError(`offsetMessageId '${id}': allowed are 32 or 56 hexadecimal digits`);
  const port = bytes.readInt32BE(hostBytes);
  const offset = bytes.readBigInt64BE(hostBytes + 4);
  if (port < 0 || port > MAX_PORT || offset < 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new InvalidArgumentError(
      `offsetMessageId '${id}': holds port ${port} and offset ${offset}, allowed are 0 to 65535 and 0 to 2^53-1`,
    );
  }
  return { host: addressText(bytes.subarray(0, hostBytes)), port, commitLogOffset: Number(offset) };
}

function addressBytes(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from(host.split('.').map(Number));
  if (!isIPv6(host)) throw new InvalidArgumentError(`host '${host}': allowed are IPv4 and IPv6 addresses`);
  const [left = '', right] = withoutDottedTail(host).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const zeros = Array.from({ length: V6_BYTES / 2 - head.length - tail.length }, () => '0');
  const bytes = Buffer.alloc(V6_BYTES);
  for (const [index, group] of [...head, ...zeros, ...tail].entries()) {
    bytes.writeUInt16BE(parseInt(group, 16), index * 2);
  }
  return bytes;
}

/** `::ffff:10.0.0.1` as `::ffff:a00:1`; a zone (`%eth0`) is dropped. */
function withoutDottedTail(host: string): string {
  const [address = ''] = host.split('%');
  const dotted = address.slice(address.lastIndexOf(':') + 1);
  if (!isIPv4(dotted)) return address;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  const groups = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  return address.slice(0, address.lastIndexOf(':') + 1) + groups;
}

function addressText(bytes: Buffer): string {
  if (bytes.length === V4_BYTES) return [...bytes].join('.');
  const groups = Array.from({ length: V6_BYTES / 2 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
