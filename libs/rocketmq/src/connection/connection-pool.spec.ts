import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConnectFailedError, RequestTimeoutError } from '../errors.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { CallDeadline } from './call-deadline.js';
import type { ClientEvent } from './client-event.js';
import { ConnectionPool } from './connection-pool.js';
import { CONNECTION_OPTIONS, RemotingPeer, reply, SOME_REQUEST } from '../testing/remoting-peer.js';

describe('ConnectionPool', () => {
  let peer: RemotingPeer;
  let address: string;

  beforeEach(async () => {
    peer = new RemotingPeer();
    address = await peer.listen();
  });

  afterEach(async () => {
    await peer.close();
  });

  const within = (timeoutMs: number, signal?: AbortSignal): CallDeadline => new CallDeadline(timeoutMs, signal);
  const reconnectBackoff = { initialMs: 20, maxMs: 100 };

  it('gives all users of an address one connection, and a new one after its end', async () => {
    const pool = new ConnectionPool({ ...CONNECTION_OPTIONS, reconnectBackoff });
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque));
    await Promise.all([1, 2, 3].map(() => pool.invoke(address, SOME_REQUEST, within(2_000))));
    expect(peer.sockets).toHaveLength(1);
    const ended = pool.openConnection(address)!.ended;
    peer.sockets[0]!.destroy();
    await ended;
    await pool.invoke(address, SOME_REQUEST, within(2_000));
    expect(peer.sockets).toHaveLength(2);
    await pool.close();
  });

  it('gives lists and look-ups a connection of their own', async () => {
    const pool = new ConnectionPool({ ...CONNECTION_OPTIONS, reconnectBackoff });
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque));
    const codes = ['PULL_MESSAGE', 'SEND_BATCH_MESSAGE', 'QUERY_MESSAGE', 'GET_ALL_TOPIC_CONFIG'] as const;
    for (const code of codes) await pool.invoke(address, { code: REQUEST_CODE[code], ext: {} }, within(2_000));
    expect(peer.sockets).toHaveLength(2);
    const [steady, admin] = peer.sockets;
    const expected = [steady, steady, admin, admin];
    expect(peer.receivedOn.map((socket, index) => socket === expected[index])).toEqual([true, true, true, true]);
    await pool.close();
  });

  it('reports connections and the end of every request, whatever its listener does', async () => {
    const events: ClientEvent[] = [];
    const warnings: unknown[] = [];
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(warning));
    const pool = new ConnectionPool({
      ...CONNECTION_OPTIONS,
      reconnectBackoff,
      onEvent: (event) => {
        events.push(event);
        throw new Error('a bad listener');
      },
    });
    peer.onCommand = (command, socket) => {
      if (command.ext['topic'] !== 'silent') socket.write(reply(command.opaque, 'answer', 17));
    };
    await pool.invoke(address, { ...SOME_REQUEST, body: Buffer.from('ask') }, within(2_000));
    const silent = { ...SOME_REQUEST, ext: { topic: 'silent' } };
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
    const pool = new ConnectionPool({ ...CONNECTION_OPTIONS, reconnectBackoff: { initialMs: 60_000, maxMs: 60_000 } });
    await expect(pool.invoke(address, SOME_REQUEST, within(2_000))).rejects.toBeInstanceOf(ConnectFailedError);
    expect(pool.backoffRemainingMs(address)).toBeGreaterThan(20_000);
    const waiting = pool.invoke(address, SOME_REQUEST, within(30));
    await expect(waiting).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'not-sent' });
    await pool.close();
    peer = new RemotingPeer();
    await peer.listen();
  });

  it('sends again on a new connection what a server that shuts down refused, in order', async () => {
    const pool = new ConnectionPool({ ...CONNECTION_OPTIONS, reconnectBackoff });
    const served: string[] = [];
    peer.onCommand = (command, socket) => {
      const isFirst = socket === peer.sockets[0];
      if (!isFirst) served.push(command.body.toString());
      socket.write(reply(command.opaque, command.body.toString(), isFirst ? 1_500 : 0));
    };
    const bodies = ['a', 'b', 'c', 'd'];
    const replies = await Promise.all(
      bodies.map((body) => pool.invoke(address, { ...SOME_REQUEST, body: Buffer.from(body) }, within(5_000))),
    );
    expect(replies.map((one) => one.body.toString())).toEqual(bodies);
    expect(served).toEqual(bodies);
    expect(peer.sockets).toHaveLength(2);
    await pool.close();
  });

  it('says that nothing was executed when servers shut down twice', async () => {
    const pool = new ConnectionPool({ ...CONNECTION_OPTIONS, reconnectBackoff });
    peer.onCommand = (command, socket) => socket.write(reply(command.opaque, '', 1_500));
    await expect(pool.invoke(address, SOME_REQUEST, within(5_000))).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
      outcome: 'not-sent',
      retriable: true,
    });
    expect(peer.received).toHaveLength(2);
    await pool.close();
  });

  it('says what keeps it from sending again', async () => {
    const pool = new ConnectionPool({ ...CONNECTION_OPTIONS, reconnectBackoff });
    peer.onCommand = (command, socket) => {
      peer.stopListening();
      socket.write(reply(command.opaque, '', 1_500));
    };
    const refused = pool.invoke(address, SOME_REQUEST, within(5_000));
    await expect(refused).rejects.toMatchObject({ code: 'CONNECT_FAILED', outcome: 'not-sent' });
    await pool.close();
    expect(peer.received).toHaveLength(1);
    peer = new RemotingPeer();
    await peer.listen();
  });

  it('closes connections that still wait for a server that shuts down', async () => {
    const pool = new ConnectionPool({ ...CONNECTION_OPTIONS, reconnectBackoff });
    const slow = pool.invoke(address, SOME_REQUEST, within(60_000)).catch((error: unknown) => error);
    const refused = pool.invoke(address, SOME_REQUEST, within(60_000)).catch((error: unknown) => error);
    await peer.until(() => peer.received.length === 2);
    peer.sockets[0]!.write(reply(peer.received[1]!.opaque, '', 1_500));
    await peer.until(() => peer.received.length === 3);
    await pool.close();
    expect([await slow, await refused]).toMatchObject([{ code: 'CONNECTION_CLOSED' }, { code: 'CONNECTION_CLOSED' }]);
  });

  it('ends everything at once when it closes', async () => {
    const pool = new ConnectionPool({ ...CONNECTION_OPTIONS, reconnectBackoff });
    const call = pool.invoke(address, SOME_REQUEST, within(20_000));
    const refused = expect(call).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await peer.until(() => peer.received.length === 1);
    await pool.close();
    await refused;
    await expect(pool.invoke(address, SOME_REQUEST, within(1_000))).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });
});
