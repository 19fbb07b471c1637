import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  ConnectFailedError,
  ConnectionClosedError,
  ConnectionOverloadedError,
  FrameTooLargeError,
  RequestAbortedError,
  RequestTimeoutError,
} from '../errors.js';
import { FrameReader } from '../wire/frame-reader.js';
import { decodeRemotingCommand, type RemotingCommand, type RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { CallDeadline } from './call-deadline.js';
import { type ClientEvent } from './client-event.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { ConnectionPool } from './connection-pool.js';

const OPTIONS: ConnectionOptions = {
  clientId: 'spec',
  headerFormat: 'json',
  connectTimeoutMs: 2_000,
  heartbeatIntervalMs: 30_000,
  heartbeatTimeoutMs: 1_000,
  maxFrameBytes: 1024 * 1024,
  maxUnwrittenBytes: 64 * 1024,
  maxWaitingRequests: 4,
  overdueAfterMs: 30_000,
};
const REQUEST: RemotingRequest = { code: REQUEST_CODE.GET_MAX_OFFSET, ext: { topic: 't' } };

function frame(header: object, body = ''): Buffer {
  const json = Buffer.from(JSON.stringify({ language: 'JAVA', version: 473, ...header }));
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + json.length + body.length, 0);
  head.writeInt32BE(json.length, 4);
  return Buffer.concat([head, json, Buffer.from(body)]);
}

function reply(opaque: number, body = '', code = 0): Buffer {
  return frame({ code, opaque, flag: 1, extFields: {} }, body);
}

/** A peer whose every move the test decides. */
class Peer {
  readonly received: RemotingCommand[] = [];
  /** The socket of each received command. */
  readonly receivedOn: Socket[] = [];
  readonly sockets: Socket[] = [];
  onCommand: (command: RemotingCommand, socket: Socket) => void = () => undefined;
  readonly #server: Server;
  readonly #waiters: (() => void)[] = [];

  constructor() {
    this.#server = createServer((socket) => {
      this.sockets.push(socket);
      const reader = new FrameReader(64 * 1024 * 1024);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        reader.push(chunk, (bytes) => {
          const command = decodeRemotingCommand(Buffer.from(bytes));
          this.received.push(command);
          this.receivedOn.push(socket);
          this.onCommand(command, socket);
        });
        for (const wake of this.#waiters.splice(0)) wake();
      });
    });
  }

  async listen(host = '127.0.0.1'): Promise<string> {
    this.#server.listen(0, host);
    await once(this.#server, 'listening');
    const { port } = this.#server.address() as AddressInfo;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  stopListening(): void {
    this.#server.close();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('Connection', () => {
  let peer: Peer;
  let address: string;
  const opened: Connection[] = [];
  const never = new AbortController().signal;

  beforeEach(async () => {
    peer = new Peer();
    address = await peer.listen();
  });

  afterEach(async () => {
    for (const connection of opened.splice(0)) connection.close('end of the test');
    await peer.close();
  });

  async function open(options: Partial<ConnectionOptions> = {}): Promise<Connection> {
    const connection = await Connection.open(address, { ...OPTIONS, ...options }, never);
    opened.push(connection);
    return connection;
  }

  const within = (timeoutMs: number, signal?: AbortSignal): CallDeadline => new CallDeadline(timeoutMs, signal);

  it('matches replies that come in another order', async () => {
    const connection = await open();
    const first = connection.invoke(REQUEST, within(2_000));
    const second = connection.invoke(REQUEST, within(2_000));
    await peer.until(() => peer.received.length === 2);
    const [a, b] = peer.received.map((command) => command.opaque);
    peer.sockets[0]!.write(Buffer.concat([reply(b!, 'second'), reply(12_345, 'nobody asked'), reply(a!, 'first')]));
    expect((await first).body.toString()).toBe('first');
    expect((await second).body.toString()).toBe('second');
  });

  it('writes what is asked for at a reply while the socket has more bytes at hand', async () => {
    const connection = await open();
    const texts = Array.from({ length: 20 }, async () => {
      const { body } = await connection.invoke(REQUEST, within(5_000));
      expect(body).toHaveLength(100_000);
      return (await connection.invoke(REQUEST, within(5_000))).body.toString();
    });
    await peer.until(() => peer.received.length === 20);
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque, 'again'));
    const long = 'x'.repeat(100_000);
    peer.sockets[0]!.write(Buffer.concat(peer.received.map(({ opaque }) => reply(opaque, long))));
    expect(await Promise.all(texts)).toEqual(Array.from({ length: 20 }, () => 'again'));
  });

  it('tells what was written from what was not when it ends', async () => {
    const connection = await open();
    const written = connection.submit(REQUEST);
    await peer.until(() => peer.received.length === 1);
    peer.sockets[0]!.destroy();
    await expect(written.reply).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      outcome: 'unknown',
      retriable: true,
    });
    await connection.ended;
    expect(connection.isOpen).toBe(false);
    await expect(connection.submit(REQUEST).reply).rejects.toMatchObject({ outcome: 'not-sent' });
  });

  it('ends a call at its deadline and drops its late reply', async () => {
    const connection = await open();
    const call = connection.invoke(REQUEST, within(30));
    await expect(call).rejects.toBeInstanceOf(RequestTimeoutError);
    await expect(call).rejects.toMatchObject({ outcome: 'unknown', retriable: true, timeoutMs: 30 });
    peer.sockets[0]!.write(reply(peer.received[0]!.opaque));
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque, 'fresh'));
    expect((await connection.invoke(REQUEST, within(2_000))).body.toString()).toBe('fresh');
  });

  it('ends a call at its abort', async () => {
    const connection = await open();
    const abort = new AbortController();
    const call = connection.invoke(REQUEST, within(5_000, abort.signal));
    await peer.until(() => peer.received.length === 1);
    abort.abort(new Error('why'));
    await expect(call).rejects.toBeInstanceOf(RequestAbortedError);
    await expect(call).rejects.toMatchObject({ cause: new Error('why') });
  });

  it('answers requests of the server and ignores one-way ones', async () => {
    const connection = await open();
    peer.sockets[0]!.write(frame({ code: 220, opaque: 5, flag: 0, extFields: {} }));
    peer.sockets[0]!.write(frame({ code: 40, opaque: 6, flag: 2, extFields: {} }));
    peer.onCommand = (command, socket) =>
      command.code === REQUEST.code ? socket.write(reply(command.opaque)) : undefined;
    await connection.invoke(REQUEST, within(2_000));
    expect(peer.received.filter((command) => command.flag === 1)).toMatchObject([{ code: 3, opaque: 5 }]);
    expect(peer.received.some((command) => command.opaque === 6 && command.flag === 1)).toBe(false);
  });

  it('leaves a server that shuts down once the pending requests have ended', async () => {
    const connection = await open();
    const refused = connection.submit(REQUEST);
    const pending = connection.submit(REQUEST);
    await peer.until(() => peer.received.length === 2);
    const [first, second] = peer.received;
    peer.sockets[0]!.write(reply(first!.opaque, '', 1_500));
    await expect(refused.reply).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', outcome: 'not-sent' });
    expect(connection.isOpen).toBe(false);
    peer.sockets[0]!.write(reply(second!.opaque, 'done'));
    expect((await pending.reply).body.toString()).toBe('done');
    await connection.ended;
  });

  it('lives on a busy process: what came in time counts, though it is read late', async () => {
    const connection = await open({ heartbeatIntervalMs: 30, heartbeatTimeoutMs: 40 });
    let heartbeats = 0;
    peer.onCommand = (command, socket) => {
      heartbeats += 1;
      socket.write(reply(command.opaque), () => {
        const busyUntil = performance.now() + 100;
        if (heartbeats === 1) while (performance.now() < busyUntil);
      });
    };
    await peer.until(() => heartbeats >= 3);
    expect(connection.isOpen).toBe(true);
  });

  it('does not answer requests of a server that does not read', async () => {
    const connection = await open();
    peer.sockets[0]!.pause();
    const request: RemotingRequest = { ...REQUEST, body: Buffer.alloc(16 * 1024 * 1024) };
    const written = connection.submit(request);
    await new Promise((resolve) => setImmediate(resolve));
    peer.sockets[0]!.write(frame({ code: 220, opaque: 5, flag: 0, extFields: {} }));
    const asked = connection.submit(REQUEST);
    peer.onCommand = (command, socket) => {
      if ((command.flag & 1) === 0) socket.write(reply(command.opaque));
    };
    await new Promise((resolve) => setTimeout(resolve, 50));
    peer.sockets[0]!.resume();
    await Promise.all([written.reply, asked.reply]);
    expect(peer.received.filter((command) => command.flag === 1)).toEqual([]);
  });

  it.each([
    ['bytes of another protocol', Buffer.from('HTTP/1.1 400 Bad Request'), 'allowed are 1048576'],
    ['a header that is no JSON', Buffer.from([0, 0, 0, 5, 0, 0, 0, 1, 0x7b]), 'not JSON'],
  ])('ends with a reason at %s', async (_, bytes, reason) => {
    const connection = await open();
    const pending = connection.submit(REQUEST);
    await peer.until(() => peer.received.length === 1);
    peer.sockets[0]!.write(bytes);
    await expect(pending.reply).rejects.toBeInstanceOf(ConnectionClosedError);
    await expect(pending.reply).rejects.toThrow(reason);
  });

  it('fails only the request whose answer is over the limit', async () => {
    const connection = await open();
    const [before, tooLong, after] = [1, 2, 3].map(() => connection.submit(REQUEST));
    await peer.until(() => peer.received.length === 3);
    const [a, b, c] = peer.received.map((command) => command.opaque);
    const long = reply(b!, 'x'.repeat(2 * 1024 * 1024));
    peer.sockets[0]!.write(Buffer.concat([long, reply(c!, 'after'), frame({ ...REQUEST, opaque: 9, flag: 0 })]));
    await expect(tooLong!.reply).rejects.toBeInstanceOf(FrameTooLargeError);
    await expect(tooLong!.reply).rejects.toMatchObject({ maxFrameBytes: 1024 * 1024, outcome: 'unknown' });
    expect((await after!.reply).body.toString()).toBe('after');
    peer.sockets[0]!.write(reply(a!, 'before'));
    expect((await before!.reply).body.toString()).toBe('before');
    expect(connection.isOpen).toBe(true);
  });

  it('bounds what waits for a peer that does not read, and sends it when the peer reads again', async () => {
    const connection = await open();
    peer.sockets[0]!.pause();
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque));
    const request: RemotingRequest = { ...REQUEST, body: Buffer.alloc(4 * 1024 * 1024) };
    const submitted = [];
    for (let count = 0; count < 10; count += 1) {
      submitted.push(connection.submit(request));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const refused = submitted.filter((one) => one.outcome === 'not-sent').slice(OPTIONS.maxWaitingRequests);
    expect(refused.length).toBeGreaterThan(0);
    for (const one of refused) await expect(one.reply).rejects.toBeInstanceOf(ConnectionOverloadedError);
    peer.sockets[0]!.resume();
    await Promise.all(submitted.filter((one) => !refused.includes(one)).map((one) => one.reply));
  });

  it('takes back a request that was not written', async () => {
    const connection = await open();
    peer.sockets[0]!.pause();
    const request: RemotingRequest = { ...REQUEST, body: Buffer.alloc(16 * 1024 * 1024) };
    const written = connection.submit(request);
    const waiting = connection.invoke(REQUEST, within(20));
    await expect(waiting).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'not-sent' });
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque));
    peer.sockets[0]!.resume();
    await written.reply;
    await connection.invoke(REQUEST, within(5_000));
    expect(peer.received).toHaveLength(2);
  });

  it('writes no request that is not wanted any more when its turn comes', async () => {
    const connection = await open({ maxUnwrittenBytes: 0 });
    peer.sockets[0]!.pause();
    let isWanted = true;
    const maySend = (): boolean => isWanted;
    const large = { ...REQUEST, body: Buffer.alloc(8 * 1024 * 1024), maySend };
    const written = connection.submit(large);
    const waiting = connection.submit({ ...REQUEST, maySend });
    isWanted = false;
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque));
    peer.sockets[0]!.resume();
    await written.reply;
    await expect(waiting.reply).rejects.toMatchObject({ code: 'REQUEST_ABORTED', outcome: 'not-sent' });
    await expect(connection.submit({ ...REQUEST, maySend }).reply).rejects.toBeInstanceOf(RequestAbortedError);
    expect(peer.received).toHaveLength(1);
  });

  it('sends heartbeats while the server is silent and ends when they stay unanswered', async () => {
    const connection = await open({ heartbeatIntervalMs: 20, heartbeatTimeoutMs: 100 });
    const answered = { count: 0 };
    peer.onCommand = (command, socket) => {
      answered.count += 1;
      if (answered.count < 3) socket.write(reply(command.opaque));
    };
    const pending = connection.submit(REQUEST);
    await expect(pending.reply.then(() => connection.ended)).resolves.toBeUndefined();
    expect(peer.received.map((command) => command.code)).toEqual([REQUEST.code, 34, 34]);
    expect(JSON.parse(peer.received[1]!.body.toString())).toMatchObject({ clientID: 'spec' });
  });

  it('gives up a request whose reply is lost, and none of its neighbours', async () => {
    const connection = await open({ overdueAfterMs: 30 });
    const lost = connection.submit(REQUEST);
    const neighbour = connection.submit(REQUEST);
    lost.markOverdue();
    await expect(lost.reply).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'unknown' });
    expect(connection.isOpen).toBe(true);
    peer.sockets[0]!.write(reply(peer.received[0]!.opaque, 'late'));
    peer.sockets[0]!.write(reply(peer.received[1]!.opaque, 'in time'));
    expect((await neighbour.reply).body.toString()).toBe('in time');
  });

  it('ends when an overdue request was never taken by the peer: its memory may be used again', async () => {
    const connection = await open({ overdueAfterMs: 30, maxUnwrittenBytes: 64 * 1024 * 1024 });
    peer.sockets[0]!.pause();
    const stuck = connection.submit({ ...REQUEST, body: Buffer.alloc(32 * 1024 * 1024) });
    stuck.markOverdue();
    await expect(stuck.reply).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', outcome: 'unknown' });
    expect(connection.isOpen).toBe(false);
  });

  it('gives up a request that waits for a second server by what that one took, and by its time', async () => {
    const second = await open({ overdueAfterMs: 30 });
    const first = await Connection.open(address, { ...OPTIONS, overdueAfterMs: 60_000 }, never, (refused) => {
      second.take(refused);
    });
    opened.push(first);
    peer.sockets[0]!.pause();
    void second.submit({ ...REQUEST, body: Buffer.alloc(32 * 1024 * 1024) }).reply.catch(() => undefined);
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque, '', 1_500));
    const moved = first.submit(REQUEST);
    moved.markOverdue();
    await expect(moved.reply).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'not-sent' });
    expect(second.isOpen).toBe(true);
  }, 10_000);

  it('connects to an IPv6 address', async () => {
    const onIpv6 = new Peer();
    onIpv6.onCommand = (command, socket) => socket.write(reply(command.opaque, 'six'));
    const connection = await Connection.open(await onIpv6.listen('::1'), OPTIONS, never);
    expect((await connection.invoke(REQUEST, within(5_000))).body.toString()).toBe('six');
    connection.close('end of the test');
    await onIpv6.close();
  });

  it('says why it cannot be opened', async () => {
    await peer.close();
    await expect(Connection.open(address, OPTIONS, never)).rejects.toBeInstanceOf(ConnectFailedError);
    await expect(Connection.open(address, OPTIONS, never)).rejects.toMatchObject({ address, outcome: 'not-sent' });
    peer = new Peer();
    await peer.listen();
  });

  describe('pool', () => {
    const reconnectBackoff = { initialMs: 20, maxMs: 100 };

    it('gives all users of an address one connection, and a new one after its end', async () => {
      const pool = new ConnectionPool({ ...OPTIONS, reconnectBackoff });
      peer.onCommand = (command, socket) => socket.write(reply(command.opaque));
      await Promise.all([1, 2, 3].map(() => pool.invoke(address, REQUEST, within(2_000))));
      expect(peer.sockets).toHaveLength(1);
      const ended = pool.openConnection(address)!.ended;
      peer.sockets[0]!.destroy();
      await ended;
      await pool.invoke(address, REQUEST, within(2_000));
      expect(peer.sockets).toHaveLength(2);
      await pool.close();
    });

    it('gives lists and look-ups a connection of their own', async () => {
      const pool = new ConnectionPool({ ...OPTIONS, reconnectBackoff });
      peer.onCommand = (command, socket) => socket.write(reply(command.opaque));
      const codes = ['PULL_MESSAGE', 'SEND_BATCH_MESSAGE', 'QUERY_MESSAGE', 'GET_ALL_TOPIC_CONFIG'] as const;
      for (const code of codes) await pool.invoke(address, { code: REQUEST_CODE[code], ext: {} }, within(2_000));
      expect(peer.sockets).toHaveLength(2);
      const [steady, admin] = peer.sockets;
      const expected = [steady, steady, admin, admin];
      expect(peer.receivedOn.map((socket, index) => socket === expected[index])).toEqual([true, true, true, true]);
      await pool.close();
    });

    it('tells of connections and of the end of every request, whatever its listener does', async () => {
      const events: ClientEvent[] = [];
      const warnings: unknown[] = [];
      const warn = jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(warning));
      const pool = new ConnectionPool({
        ...OPTIONS,
        reconnectBackoff,
        onEvent: (event) => {
          events.push(event);
          throw new Error('a bad listener');
        },
      });
      peer.onCommand = (command, socket) => {
        if (command.ext['topic'] !== 'silent') socket.write(reply(command.opaque, 'answer', 17));
      };
      await pool.invoke(address, { ...REQUEST, body: Buffer.from('ask') }, within(2_000));
      const silent = { ...REQUEST, ext: { topic: 'silent' } };
      await expect(pool.invoke(address, silent, within(20))).rejects.toBeInstanceOf(RequestTimeoutError);
      await pool.close();
      const request = { kind: 'request-ended', address, request: 'GET_MAX_OFFSET', milliseconds: expect.any(Number) };
      expect(events).toEqual([
        { kind: 'connection-opened', address },
        { ...request, responseCode: 17, requestBytes: 3, responseBytes: 6 },
        { ...request, responseCode: undefined, requestBytes: 0, responseBytes: 0 },
        { kind: 'connection-ended', address, reason: 'the client is closed' },
      ]);
      warn.mockRestore();
      expect(new Set(warnings)).toEqual(new Set(['A listener of client events failed: Error: a bad listener']));
    });

    it('backs off after a failure, within the deadline of the call', async () => {
      await peer.close();
      const pool = new ConnectionPool({ ...OPTIONS, reconnectBackoff: { initialMs: 60_000, maxMs: 60_000 } });
      await expect(pool.invoke(address, REQUEST, within(2_000))).rejects.toBeInstanceOf(ConnectFailedError);
      expect(pool.backoffRemainingMs(address)).toBeGreaterThan(20_000);
      const waiting = pool.invoke(address, REQUEST, within(30));
      await expect(waiting).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'not-sent' });
      await pool.close();
      peer = new Peer();
      await peer.listen();
    });

    it('sends again on a new connection what a server that shuts down refused, in order', async () => {
      const pool = new ConnectionPool({ ...OPTIONS, reconnectBackoff });
      const served: string[] = [];
      peer.onCommand = (command, socket) => {
        const isFirst = socket === peer.sockets[0];
        if (!isFirst) served.push(command.body.toString());
        socket.write(reply(command.opaque, command.body.toString(), isFirst ? 1_500 : 0));
      };
      const bodies = ['a', 'b', 'c', 'd'];
      const replies = await Promise.all(
        bodies.map((body) => pool.invoke(address, { ...REQUEST, body: Buffer.from(body) }, within(5_000))),
      );
      expect(replies.map((one) => one.body.toString())).toEqual(bodies);
      expect(served).toEqual(bodies);
      expect(peer.sockets).toHaveLength(2);
      await pool.close();
    });

    it('says that nothing was executed when servers shut down twice', async () => {
      const pool = new ConnectionPool({ ...OPTIONS, reconnectBackoff });
      peer.onCommand = (command, socket) => socket.write(reply(command.opaque, '', 1_500));
      await expect(pool.invoke(address, REQUEST, within(5_000))).rejects.toMatchObject({
        code: 'CONNECTION_CLOSED',
        outcome: 'not-sent',
        retriable: true,
      });
      expect(peer.received).toHaveLength(2);
      await pool.close();
    });

    it('says what keeps it from sending again', async () => {
      const pool = new ConnectionPool({ ...OPTIONS, reconnectBackoff });
      peer.onCommand = (command, socket) => {
        peer.stopListening();
        socket.write(reply(command.opaque, '', 1_500));
      };
      const refused = pool.invoke(address, REQUEST, within(5_000));
      await expect(refused).rejects.toMatchObject({ code: 'CONNECT_FAILED', outcome: 'not-sent' });
      await pool.close();
      expect(peer.received).toHaveLength(1);
      peer = new Peer();
      await peer.listen();
    });

    it('closes connections that still wait for a server that shuts down', async () => {
      const pool = new ConnectionPool({ ...OPTIONS, reconnectBackoff });
      const slow = pool.invoke(address, REQUEST, within(60_000)).catch((error: unknown) => error);
      const refused = pool.invoke(address, REQUEST, within(60_000)).catch((error: unknown) => error);
      await peer.until(() => peer.received.length === 2);
      peer.sockets[0]!.write(reply(peer.received[1]!.opaque, '', 1_500));
      await peer.until(() => peer.received.length === 3);
      await pool.close();
      expect([await slow, await refused]).toMatchObject([{ code: 'CONNECTION_CLOSED' }, { code: 'CONNECTION_CLOSED' }]);
    });

    it('ends everything at once when it closes', async () => {
      const pool = new ConnectionPool({ ...OPTIONS, reconnectBackoff });
      const call = pool.invoke(address, REQUEST, within(20_000));
      const refused = expect(call).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
      await peer.until(() => peer.received.length === 1);
      await pool.close();
      await refused;
      await expect(pool.invoke(address, REQUEST, within(1_000))).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    });
  });
});
