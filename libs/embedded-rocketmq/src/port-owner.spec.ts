import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { describePortOwner, findPortOwner, parseSocketTable } from './port-owner.js';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

describe('parseSocketTable', () => {
  it('reads port, state, user and inode of an IPv4 row', () => {
    const row = '   0: 0100007F:2694 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 7048 1 0000 100 0 0 10 0\n';
    expect(parseSocketTable(HEADER + row)).toEqual([{ port: 9876, isListening: true, isLoopback: true, userId: 1000, inode: '7048' }]);
  });

  it('reads an IPv6 row of a connection', () => {
    const row =
      '   1: 0000000000000000FFFF00000100007F:2A9F 0000000000000000FFFF00000100007F:D431 01 00000000:00000000 02:00000A7C 00000000     0        0 9001 2 0000 20 4 30 10 -1\n';
    expect(parseSocketTable(HEADER + row)).toEqual([{ port: 10_911, isListening: false, isLoopback: true, userId: 0, inode: '9001' }]);
  });

  it.each([
    ['00000000', false],
    ['0100000A', false],
    ['0100007F', true],
    ['00000000000000000000000000000000', false],
    ['00000000000000000000000001000000', true],
    ['0000000000000000FFFF00000100000A', false],
    ['0000000000000000FFFF00000100007F', true],
  ])('takes the local address %s for loopback: %s', (address, isLoopback) => {
    const row = `   0: ${address}:2694 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n`;
    expect(parseSocketTable(row)).toMatchObject([{ isLoopback }]);
  });

  it('reads no row from the header, blank lines and damaged lines', () => {
    expect(parseSocketTable(`${HEADER}\n   2: xx\n`)).toEqual([]);
  });
});

describe('describePortOwner', () => {
  it('shows start and end of a long command', () => {
    const command = `java ${'-XX:Option '.repeat(40)}org.apache.rocketmq.namesrv.NamesrvStartup -c namesrv.conf`;
    const text = describePortOwner({ kind: 'process', pid: 12, command });
    expect(text).toMatch(/^pid 12 \(java ….*NamesrvStartup -c namesrv\.conf\)$/);
    expect(text.length).toBeLessThan(150);
  });

  it('shows a short command whole', () => {
    expect(describePortOwner({ kind: 'process', pid: 7, command: 'nc -l 9876' })).toBe('pid 7 (nc -l 9876)');
  });
});

describe('findPortOwner', () => {
  it('names this process for a port it listens on', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port was given out');
      await expect(findPortOwner(address.port)).resolves.toMatchObject({ kind: 'process', pid: process.pid });
    } finally {
      server.close();
    }
  });
});
