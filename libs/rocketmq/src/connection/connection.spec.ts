import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ConnectFailedError,
  ConnectionClosedError,
  ConnectionOverloadedError,
  FrameTooLargeError,
  RequestAbortedError,
  RequestTimeoutError,
} from '../errors.js';
import type { RemotingRequest } from '../wire/remoting-codec.js';
import { CallDeadline } from './call-deadline.js';
import { Connection, type ConnectionOptions } from './connection.js';
import { CONNECTION_OPTIONS, frame, RemotingPeer, reply, SOME_REQUEST } from '../testing/remoting-peer.js';

describe('Connection', () => {
  let peer: RemotingPeer;
  let address: string;
  const opened: Connection[] = [];
  const never = new AbortController().signal;

  beforeEach(async () => {
    peer = new RemotingPeer();
    address = await peer.listen();
  });

  afterEach(async () => {
    for (const connection of opened.splice(0)) connection.close('end of the test');
    await peer.close();
  });

  async function open(options: Partial<ConnectionOptions> = {}): Promise<Connection> {
    const connection = await Connection.open(address, { ...CONNECTION_OPTIONS, ...options }, never);
    opened.push(connection);
    return connection;
  }

  const within = (timeoutMs: number, signal?: AbortSignal): CallDeadline => new CallDeadline(timeoutMs, signal);

  it('matches replies that come in another order', async () => {
    const connection = await open();
    const first = connection.invoke(SOME_REQUEST, within(2_000));
    const second = connection.invoke(SOME_REQUEST, within(2_000));
    await peer.until(() => peer.received.length === 2);
    const [a, b] = peer.received.map((command) => command.opaque);
    peer.sockets[0]!.write(Buffer.concat([reply(b!, 'second'), reply(12_345, 'nobody asked'), reply(a!, 'first')]));
    expect((await first).body.toString()).toBe('first');
    expect((await second).body.toString()).toBe('second');
  });

  it('writes what is asked for at a reply while the socket has more bytes at hand', async () => {
    const connection = await open();
    const texts = Array.from({ length: 20 }, async () => {
      const { body } = await connection.invoke(SOME_REQUEST, within(5_000));
      expect(body).toHaveLength(100_000);
      return (await connection.invoke(SOME_REQUEST, within(5_000))).body.toString();
    });
    await peer.until(() => peer.received.length === 20);
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque, 'again'));
    const long = 'x'.repeat(100_000);
    peer.sockets[0]!.write(Buffer.concat(peer.received.map(({ opaque }) => reply(opaque, long))));
    expect(await Promise.all(texts)).toEqual(Array.from({ length: 20 }, () => 'again'));
  });

  it('distinguishes what was written from what was not when it ends', async () => {
    const connection = await open();
    const written = connection.submit(SOME_REQUEST);
    await peer.until(() => peer.received.length === 1);
    peer.sockets[0]!.destroy();
    await expect(written.reply).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      outcome: 'unknown',
      retriable: true,
    });
    await connection.ended;
    expect(connection.isOpen).toBe(false);
    await expect(connection.submit(SOME_REQUEST).reply).rejects.toMatchObject({ outcome: 'not-sent' });
  });

  it('ends a call at its deadline and drops its late reply', async () => {
    const connection = await open();
    const call = connection.invoke(SOME_REQUEST, within(30));
    await expect(call).rejects.toBeInstanceOf(RequestTimeoutError);
    await expect(call).rejects.toMatchObject({ outcome: 'unknown', retriable: true, timeoutMs: 30 });
    await peer.until(() => peer.received.length === 1);
    peer.sockets[0]!.write(reply(peer.received[0]!.opaque));
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque, 'fresh'));
    expect((await connection.invoke(SOME_REQUEST, within(2_000))).body.toString()).toBe('fresh');
  });

  it('ends a call at its abort', async () => {
    const connection = await open();
    const abort = new AbortController();
    const call = connection.invoke(SOME_REQUEST, within(5_000, abort.signal));
    await peer.until(() => peer.received.length === 1);
    abort.abort(new Error('why'));
    await expect(call).rejects.toBeInstanceOf(RequestAbortedError);
    await expect(call).rejects.toMatchObject({ cause: new Error('why') });
  });

  it('answers requests of the server and ignores one-way ones', async () => {
    const connection = await open();
    peer.sockets[0]!.write(frame({ code: 220, opaque: 5, flag: 0, extFields: {} }));
    peer.sockets[0]!.write(frame({ code: 40, opaque: 6, flag: 2, extFields: {} }));
    peer.onCommand = (command, socket) => (command.code === SOME_REQUEST.code ? socket.write(reply(command.opaque)) : undefined);
    await connection.invoke(SOME_REQUEST, within(2_000));
    expect(peer.received.filter((command) => command.flag === 1)).toMatchObject([{ code: 3, opaque: 5 }]);
    expect(peer.received.some((command) => command.opaque === 6 && command.flag === 1)).toBe(false);
  });

  it('leaves a server that shuts down once the pending requests have ended', async () => {
    const connection = await open();
    const refused = connection.submit(SOME_REQUEST);
    const pending = connection.submit(SOME_REQUEST);
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
    const request: RemotingRequest = { ...SOME_REQUEST, body: Buffer.alloc(16 * 1024 * 1024) };
    const written = connection.submit(request);
    await new Promise((resolve) => setImmediate(resolve));
    peer.sockets[0]!.write(frame({ code: 220, opaque: 5, flag: 0, extFields: {} }));
    const asked = connection.submit(SOME_REQUEST);
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
    const pending = connection.submit(SOME_REQUEST);
    await peer.until(() => peer.received.length === 1);
    peer.sockets[0]!.write(bytes);
    await expect(pending.reply).rejects.toBeInstanceOf(ConnectionClosedError);
    await expect(pending.reply).rejects.toThrow(reason);
  });

  it('fails only the request whose answer is over the limit', async () => {
    const connection = await open();
    const [before, tooLong, after] = [1, 2, 3].map(() => connection.submit(SOME_REQUEST));
    await peer.until(() => peer.received.length === 3);
    const [a, b, c] = peer.received.map((command) => command.opaque);
    const long = reply(b!, 'x'.repeat(2 * 1024 * 1024));
    peer.sockets[0]!.write(Buffer.concat([long, reply(c!, 'after'), frame({ ...SOME_REQUEST, opaque: 9, flag: 0 })]));
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
    const request: RemotingRequest = { ...SOME_REQUEST, body: Buffer.alloc(4 * 1024 * 1024) };
    const submitted = [];
    for (let count = 0; count < 10; count += 1) {
      submitted.push(connection.submit(request));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const refused = submitted.filter((one) => one.outcome === 'not-sent').slice(CONNECTION_OPTIONS.maxWaitingRequests);
    expect(refused.length).toBeGreaterThan(0);
    for (const one of refused) await expect(one.reply).rejects.toBeInstanceOf(ConnectionOverloadedError);
    peer.sockets[0]!.resume();
    await Promise.all(submitted.filter((one) => !refused.includes(one)).map((one) => one.reply));
  });

  it('takes back a request that was not written', async () => {
    const connection = await open();
    peer.sockets[0]!.pause();
    const request: RemotingRequest = { ...SOME_REQUEST, body: Buffer.alloc(16 * 1024 * 1024) };
    const written = connection.submit(request);
    const waiting = connection.invoke(SOME_REQUEST, within(20));
    await expect(waiting).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'not-sent' });
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque));
    peer.sockets[0]!.resume();
    await written.reply;
    await connection.invoke(SOME_REQUEST, within(5_000));
    expect(peer.received).toHaveLength(2);
  });

  it('writes no request that is not wanted any more when its turn comes', async () => {
    const connection = await open({ maxUnwrittenBytes: 0 });
    peer.sockets[0]!.pause();
    let isWanted = true;
    const maySend = (): boolean => isWanted;
    const large = { ...SOME_REQUEST, body: Buffer.alloc(8 * 1024 * 1024), maySend };
    const written = connection.submit(large);
    const waiting = connection.submit({ ...SOME_REQUEST, maySend });
    isWanted = false;
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque));
    peer.sockets[0]!.resume();
    await written.reply;
    await expect(waiting.reply).rejects.toMatchObject({ code: 'REQUEST_ABORTED', outcome: 'not-sent' });
    await expect(connection.submit({ ...SOME_REQUEST, maySend }).reply).rejects.toBeInstanceOf(RequestAbortedError);
    expect(peer.received).toHaveLength(1);
  });

  it('sends heartbeats while the server is silent and ends when they stay unanswered', async () => {
    const connection = await open({ heartbeatIntervalMs: 20, heartbeatTimeoutMs: 100 });
    const answered = { count: 0 };
    peer.onCommand = (command, socket) => {
      answered.count += 1;
      if (answered.count < 3) socket.write(reply(command.opaque));
    };
    const pending = connection.submit(SOME_REQUEST);
    await expect(pending.reply.then(() => connection.ended)).resolves.toBeUndefined();
    expect(peer.received.map((command) => command.code)).toEqual([SOME_REQUEST.code, 34, 34]);
    expect(JSON.parse(peer.received[1]!.body.toString())).toMatchObject({ clientID: 'spec' });
  });

  it('gives up a request whose reply is lost, and none of its neighbours', async () => {
    const connection = await open({ overdueAfterMs: 30 });
    const lost = connection.submit(SOME_REQUEST);
    const neighbour = connection.submit(SOME_REQUEST);
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
    const stuck = connection.submit({ ...SOME_REQUEST, body: Buffer.alloc(32 * 1024 * 1024) });
    stuck.markOverdue();
    await expect(stuck.reply).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', outcome: 'unknown' });
    expect(connection.isOpen).toBe(false);
  });

  it('gives up a request that waits for a second server by what that one took, and by its time', async () => {
    const second = await open({ overdueAfterMs: 30 });
    const first = await Connection.open(address, { ...CONNECTION_OPTIONS, overdueAfterMs: 60_000 }, never, (refused) => {
      second.take(refused);
    });
    opened.push(first);
    peer.sockets[0]!.pause();
    void second.submit({ ...SOME_REQUEST, body: Buffer.alloc(32 * 1024 * 1024) }).reply.catch(() => undefined);
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque, '', 1_500));
    const moved = first.submit(SOME_REQUEST);
    moved.markOverdue();
    await expect(moved.reply).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'not-sent' });
    expect(second.isOpen).toBe(true);
  }, 10_000);

  it('connects to an IPv6 address', async () => {
    const onIpv6 = new RemotingPeer();
    onIpv6.onCommand = (command, socket) => socket.write(reply(command.opaque, 'six'));
    const connection = await Connection.open(await onIpv6.listen('::1'), CONNECTION_OPTIONS, never);
    expect((await connection.invoke(SOME_REQUEST, within(5_000))).body.toString()).toBe('six');
    connection.close('end of the test');
    await onIpv6.close();
  });

  it('says why it cannot be opened', async () => {
    await peer.close();
    await expect(Connection.open(address, CONNECTION_OPTIONS, never)).rejects.toBeInstanceOf(ConnectFailedError);
    await expect(Connection.open(address, CONNECTION_OPTIONS, never)).rejects.toMatchObject({
      address,
      outcome: 'not-sent',
    });
    peer = new RemotingPeer();
    await peer.listen();
  });
});
