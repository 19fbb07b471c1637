import { describe, expect, it } from '@jest/globals';
import { CallDeadline } from '../connection/call-deadline.js';
import {
  BrokerNotFoundError,
  BrokerResponseError,
  ConnectFailedError,
  NameServersFailedError,
  RequestAbortedError,
  TopicNotFoundError,
} from '../errors.js';
import type { RemotingCommand, RemotingRequest } from '../wire/remoting-codec.js';
import { masterAddressOf, RouteCache } from './route-cache.js';

const BODY = (port: number): Buffer =>
  Buffer.from(
    `{"brokerDatas":[{"brokerAddrs":{"0":"127.0.0.1:${port}"},"brokerName":"b","cluster":"c"}],` +
      '"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":1,"writeQueueNums":1}]}',
  );

class FakeNameServers {
  asked = 0;
  othersWanted = 0;
  answer: () => Buffer = () => BODY(this.asked);

  async ask(
    _request: RemotingRequest,
    _deadline: CallDeadline,
    options: { readonly isOtherWanted?: boolean } = {},
  ): Promise<RemotingCommand> {
    this.asked += 1;
    if (options.isOtherWanted === true) this.othersWanted += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return { code: 0, opaque: 1, flag: 1, remark: '', ext: {}, body: this.answer() };
  }
}

function cacheOf(servers: FakeNameServers, refreshAfterMs = 30_000): RouteCache {
  return new RouteCache(servers, { requestTimeoutMs: 1_000, refreshAfterMs, maxTopics: 2 });
}

const deadline = (): CallDeadline => new CallDeadline(1_000, undefined);
const queue = { topic: 't', brokerName: 'b', queueId: 0 };

describe('RouteCache', () => {
  it('asks once for all who want the same topic, and again after an error', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers);
    await Promise.all([cache.route('t', deadline()), cache.route('t', deadline())]);
    await cache.route('t', deadline());
    expect(servers.asked).toBe(1);
    cache.invalidate('t');
    expect(masterAddressOf(await cache.route('t', deadline()), queue)).toBe('127.0.0.1:2');
  });

  it('uses an aged route while its successor is fetched', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers, -1);
    await cache.route('t', deadline());
    expect(masterAddressOf(cache.cached('t')!, queue)).toBe('127.0.0.1:1');
    while (masterAddressOf(cache.cached('t')!, queue) === '127.0.0.1:1') {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it('keeps a route that led to an error while no name server answers', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers);
    await cache.route('t', deadline());
    cache.invalidate('t');
    servers.answer = () => {
      throw new ConnectFailedError('127.0.0.1:1', 'refused');
    };
    expect(masterAddressOf(await cache.route('t', deadline()), queue)).toBe('127.0.0.1:1');
    await expect(cache.route('other', deadline())).rejects.toBeInstanceOf(ConnectFailedError);
  });

  it('names the topic that no name server knows, and the broker that the route does not have', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers);
    const route = await cache.route('t', deadline());
    expect(() => masterAddressOf(route, { ...queue, brokerName: 'x' })).toThrow(BrokerNotFoundError);
    servers.answer = () => {
      const answer = { request: 'r', address: 'a:1', responseCode: 17, remark: 'no route' };
      throw new BrokerResponseError(answer, { retriable: false });
    };
    await expect(cache.route('missing', deadline())).rejects.toBeInstanceOf(TopicNotFoundError);
    await expect(cache.refresh('t', deadline())).rejects.toMatchObject({ topic: 't', retriable: false });
  });

  it('asks another name server when a route led to an error', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers);
    await cache.route('t', deadline());
    await cache.refresh('t', deadline());
    expect([servers.asked, servers.othersWanted]).toEqual([2, 1]);
  });

  it('gives others the known route while it is refreshed', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers);
    await cache.route('t', deadline());
    const refreshing = cache.refresh('t', deadline());
    expect(masterAddressOf(cache.cached('t')!, queue)).toBe('127.0.0.1:1');
    expect(masterAddressOf(await refreshing, queue)).toBe('127.0.0.1:2');
  });

  it('takes a topic for missing only when no silent name server may know it', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers);
    await cache.route('t', deadline());
    const unknown = new BrokerResponseError({ request: 'r', address: 'a:1', responseCode: 17, remark: 'no route' }, { retriable: false });
    const silent = new ConnectFailedError('b:2', 'refused');
    servers.answer = () => {
      throw new NameServersFailedError('r', [
        { address: 'a:1', error: unknown },
        { address: 'b:2', error: silent },
      ]);
    };
    expect(masterAddressOf(await cache.refresh('t', deadline()), queue)).toBe('127.0.0.1:1');
    await expect(cache.route('new', deadline())).rejects.toBeInstanceOf(TopicNotFoundError);
    servers.answer = () => {
      throw unknown;
    };
    await expect(cache.refresh('t', deadline())).rejects.toBeInstanceOf(TopicNotFoundError);
  });

  it('does not ask again at every use while the name servers fail', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers, 0);
    await cache.route('t', deadline());
    servers.answer = () => {
      throw new ConnectFailedError('127.0.0.1:1', 'refused');
    };
    cache.invalidate('t');
    await cache.route('t', deadline());
    const { asked } = servers;
    for (let use = 0; use < 50; use += 1) expect(masterAddressOf(cache.cached('t')!, queue)).toBe('127.0.0.1:1');
    await new Promise((resolve) => setImmediate(resolve));
    expect(servers.asked).toBe(asked);
  });

  it('ends with the abort of its caller though a route is known', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers);
    await cache.route('t', deadline());
    cache.invalidate('t');
    const abort = new AbortController();
    const asking = cache.route('t', new CallDeadline(1_000, abort.signal)).catch((error: unknown) => error);
    abort.abort();
    expect(await asking).toBeInstanceOf(RequestAbortedError);
  });

  it('doubts a route only when it is older than the refusal can be wrong about', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers);
    await cache.route('t', deadline());
    cache.doubt('t');
    expect(cache.cached('t')).toBeDefined();
    while (cache.cached('t') !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      cache.doubt('t');
    }
    await cache.route('t', deadline());
    expect(servers.asked).toBe(2);
  });

  it('keeps no more topics than it may', async () => {
    const servers = new FakeNameServers();
    const cache = cacheOf(servers);
    for (const topic of ['a', 'b', 'c']) await cache.route(topic, deadline());
    expect([cache.cached('a'), cache.cached('c')]).toMatchObject([undefined, { topic: 'c' }]);
  });
});
