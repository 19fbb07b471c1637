import { describe, expect, it } from '@jest/globals';
import { CallDeadline } from '../connection/call-deadline.js';
import {
  BrokerResponseError,
  ClientClosedError,
  ConnectFailedError,
  NameServersFailedError,
  RequestAbortedError,
  RequestTimeoutError,
  type RocketMqError,
  TlsHandshakeError,
} from '../errors.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { NameServers } from './name-servers.js';

type Behaviour = number | RocketMqError | 'hangs';

const REQUEST: RemotingRequest = { code: REQUEST_CODE.GET_ROUTEINFO_BY_TOPIC, ext: { topic: 't' } };

/** Name servers by address; `asked` says who was asked in which order. */
class FakePool {
  readonly asked: string[] = [];
  isClosed = false;
  readonly #held = new Map<string, () => void>();

  constructor(readonly behaviours: Record<string, Behaviour>) {}

  /** Lets a server that hangs give its answer at last. */
  release(address: string): void {
    this.#held.get(address)?.();
  }

  backoffRemainingMs(): number {
    return 0;
  }

  async invoke(address: string, _request: RemotingRequest, deadline: CallDeadline): Promise<RemotingCommand> {
    this.asked.push(address);
    const behaviour = this.behaviours[address];
    if (behaviour === 'hangs') {
      const held = new Promise<void>((resolve) => this.#held.set(address, resolve));
      await deadline.race(held, `ask ${address}`, () => 'unknown');
      return replyOf(address, 0);
    }
    if (typeof behaviour !== 'number') throw behaviour ?? new Error('no behaviour');
    return replyOf(address, behaviour);
  }
}

function replyOf(address: string, code: number): RemotingCommand {
  return { code, opaque: 1, flag: 1, remark: 'from ' + address, ext: {}, body: Buffer.from(address) };
}

describe('NameServers.ask', () => {
  function serversOf(behaviours: Record<string, Behaviour>): { pool: FakePool; servers: NameServers } {
    const pool = new FakePool(behaviours);
    return { pool, servers: new NameServers(Object.keys(behaviours), pool) };
  }
  const within = (timeoutMs: number, signal?: AbortSignal): CallDeadline => new CallDeadline(timeoutMs, signal);
  const failureOf = (asking: Promise<unknown>): Promise<unknown> => asking.catch((error: unknown) => error);

  it.each<[string, Behaviour]>([
    ['does not have the right certificate', new TlsHandshakeError('a:1', 'self-signed certificate')],
    ['refuses connections', new ConnectFailedError('a:1', 'ECONNREFUSED')],
    ['answers with an error', 1],
    ['does not know the topic yet', 17],
    ['refuses the sender', 16],
    ['hangs', 'hangs'],
  ])('asks the next when the first %s', async (_what, behaviour) => {
    const { pool, servers } = serversOf({ 'a:1': behaviour, 'b:2': 0 });
    expect((await servers.ask(REQUEST, within(200))).body.toString()).toBe('b:2');
    expect(pool.asked).toEqual(['a:1', 'b:2']);
    await servers.ask(REQUEST, within(200));
    expect(pool.asked.slice(2)).toEqual(['b:2']);
  });

  it.each(['first', 'second'] as const)(
    'is held up for a moment only by a silent server, %s in the list, and not again by one in doubt',
    async (place) => {
      const good: [string, Behaviour] = ['good:1', 0];
      const silent: [string, Behaviour] = ['silent:1', 'hangs'];
      const { pool, servers } = serversOf(Object.fromEntries(place === 'first' ? [silent, good] : [good, silent]));
      // An hour: whoever gives the silent server a share of it never ends.
      const hour = (): CallDeadline => within(3_600_000);
      expect((await servers.ask(REQUEST, hour())).body.toString()).toBe('good:1');
      pool.behaviours['good:1'] = 17;
      const error = await failureOf(servers.ask(REQUEST, hour()));
      expect(error).toBeInstanceOf(NameServersFailedError);
      expect((error as NameServersFailedError).failures.map((one) => [one.address, one.error.code]).sort()).toEqual([
        ['good:1', 'BROKER_RESPONSE'],
        ['silent:1', 'REQUEST_TIMEOUT'],
      ]);
      pool.behaviours['good:1'] = 0;
      const askedBefore = pool.asked.length;
      expect((await servers.ask(REQUEST, hour())).body.toString()).toBe('good:1');
      expect(pool.asked.slice(askedBefore)).toEqual(['good:1']);
    },
    30_000,
  );

  it('takes the answer of a server that was given up for silent', async () => {
    const { pool, servers } = serversOf({ 'a:1': 'hangs', 'b:2': 'hangs' });
    const asking = servers.ask(REQUEST, within(3_600_000));
    while (pool.asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    pool.release('a:1');
    expect((await asking).body.toString()).toBe('a:1');
  });

  it('names every address that it tried, and what each did', async () => {
    const { servers } = serversOf({
      'a:1': new TlsHandshakeError('a:1', 'expired'),
      'b:2': 'hangs',
      'c:3': 17,
    });
    const error = await failureOf(servers.ask(REQUEST, within(90)));
    expect(error).toBeInstanceOf(NameServersFailedError);
    expect(error).toMatchObject({ code: 'NAME_SERVERS_FAILED', retriable: true, outcome: 'not-sent' });
    const { failures } = error as NameServersFailedError;
    expect(failures.map((one) => [one.address, one.error.code])).toEqual([
      ['a:1', 'TLS_HANDSHAKE'],
      ['b:2', 'REQUEST_TIMEOUT'],
      ['c:3', 'BROKER_RESPONSE'],
    ]);
    for (const address of ['a:1', 'b:2', 'c:3']) expect(String(error)).toContain(address);
  });

  it('is retriable only when a server may answer later', async () => {
    const { servers } = serversOf({ 'a:1': new TlsHandshakeError('a:1', 'expired'), 'b:2': 17 });
    await expect(servers.ask(REQUEST, within(200))).rejects.toMatchObject({ retriable: false });
  });

  it('gives the one answer that all gave', async () => {
    const { servers } = serversOf({ 'a:1': 17, 'b:2': 17 });
    const error = await failureOf(servers.ask(REQUEST, within(200)));
    expect(error).toBeInstanceOf(BrokerResponseError);
    expect(error).toMatchObject({ responseCode: 17, address: 'a:1, b:2' });
  });

  it('gives the own error of the only server', async () => {
    const { servers } = serversOf({ 'a:1': 'hangs' });
    await expect(servers.ask(REQUEST, within(30))).rejects.toBeInstanceOf(RequestTimeoutError);
  });

  it('asks one that failed last, until it has answered', async () => {
    const { pool, servers } = serversOf({ 'a:1': new ConnectFailedError('a:1', 'gone'), 'b:2': 0 });
    await servers.ask(REQUEST, within(200));
    await servers.ask(REQUEST, within(200), { isOtherWanted: true });
    expect(pool.asked.slice(2)).toEqual(['b:2']);
    pool.behaviours['a:1'] = 0;
    pool.behaviours['b:2'] = new ConnectFailedError('b:2', 'gone');
    expect((await servers.ask(REQUEST, within(200))).body.toString()).toBe('a:1');
  });

  it('asks another than the last one when that may have an old view', async () => {
    const { pool, servers } = serversOf({ 'a:1': 0, 'b:2': 0, 'c:3': 0 });
    await servers.ask(REQUEST, within(200));
    await servers.ask(REQUEST, within(200), { isOtherWanted: true });
    await servers.ask(REQUEST, within(200));
    expect(pool.asked).toEqual(['a:1', 'b:2', 'b:2']);
  });

  it('stops when the caller gives up or the client closes', async () => {
    const abort = new AbortController();
    const { pool, servers } = serversOf({ 'a:1': 'hangs', 'b:2': 0 });
    const asking = failureOf(servers.ask(REQUEST, within(60_000, abort.signal)));
    abort.abort();
    expect(await asking).toBeInstanceOf(RequestAbortedError);
    pool.isClosed = true;
    pool.behaviours['a:1'] = new ClientClosedError('ask');
    await expect(servers.ask(REQUEST, within(200))).rejects.toBeInstanceOf(ClientClosedError);
    expect(pool.asked).toEqual(['a:1', 'a:1']);
  });
});
