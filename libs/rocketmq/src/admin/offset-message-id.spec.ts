import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from '../errors.js';
import { decodeOffsetMessageId, encodeOffsetMessageId } from './offset-message-id.js';

/** Ids as RocketMQ's Java client (MessageDecoder.createMessageId) writes them for these positions. */
const IDS: readonly (readonly [string, string, number, number])[] = [
  ['7F00000100002A9F0000000000000000', '127.0.0.1', 10_911, 0],
  ['7F00000100002A9F00000000000000F7', '127.0.0.1', 10_911, 247],
  ['C0A801FE0000FFFF001FFFFFFFFFFFFF', '192.168.1.254', 65_535, Number.MAX_SAFE_INTEGER],
  ['0000000000000000000000000000000100002A9F0000000000001000', '::1', 10_911, 4_096],
  ['20010DB8000000000008080020C4417A00002A9F0000000140000000', '2001:db8::8:800:20c4:417a', 10_911, 5_368_709_120],
];

describe('the id that a broker gives to a message', () => {
  it.each(IDS)('%s is %s:%i at %i', (id, host, port, commitLogOffset) => {
    expect(decodeOffsetMessageId(id)).toEqual({ host, port, commitLogOffset });
    expect(decodeOffsetMessageId(id.toLowerCase())).toEqual({ host, port, commitLogOffset });
    expect(encodeOffsetMessageId({ host, port, commitLogOffset })).toBe(id);
  });

  it('is the same for all spellings of an IPv6 address', () => {
    const idOf = (host: string): string => encodeOffsetMessageId({ host, port: 1, commitLogOffset: 2 });
    expect(idOf('0:0:0:0:0:0:0:1')).toBe(idOf('::1'));
    expect(idOf('fe80::1%eth0')).toBe(idOf('FE80:0::0001'));
    expect(idOf('::ffff:10.1.2.3')).toBe(idOf('::ffff:a01:203'));
    expect(idOf('1::')).toBe('00010000000000000000000000000000000000010000000000000002');
  });

  it.each([
    '',
    '7F00000100002A9F00000000000000F',
    '7F00000100002A9F00000000000000F7AB',
    '7F00000100002A9F00000000000000FG',
    '0x7F000001002A9F00000000000000F7',
    '7F0000010001000000000000000000F7',
    '7F000001FFFFFFFF00000000000000F7',
    '7F00000100002A9F8000000000000000',
    '7F00000100002A9F0020000000000000',
  ])('refuses %p', (id) => {
    expect(() => decodeOffsetMessageId(id)).toThrow(InvalidArgumentError);
  });

  it('refuses positions that have no id', () => {
    const position = { host: '127.0.0.1', port: 10_911, commitLogOffset: 0 };
    expect(() => encodeOffsetMessageId({ ...position, host: 'broker-a' })).toThrow("host 'broker-a'");
    expect(() => encodeOffsetMessageId({ ...position, port: 70_000 })).toThrow('port 70000: allowed are integers 0 to 65535');
    expect(() => encodeOffsetMessageId({ ...position, commitLogOffset: -1 })).toThrow('commitLogOffset -1');
  });
});
