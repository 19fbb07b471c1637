import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AuthorizationError, RequestTimeoutError, type TopicRoute, TopicNotFoundError } from '@sluice/rocketmq';
import { clusterIdentity, type IdentityClient } from './cluster-identity.js';

const PERM_READ = 4;
const identityAt = (timeMs: number, rest = 'aaaaaaaa'): string => `sluice-identity-${timeMs.toString(36).padStart(9, '0')}${rest}`;

async function after(delayMs: number | undefined): Promise<void> {
  if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Brokers with their topics, whose calls take as long as a case says. */
class World {
  readonly brokers = new Map<string, Set<string>>([
    ['a', new Set(['orders'])],
    ['b', new Set(['orders'])],
  ]);
  readonly failing = new Map<string, Error>();
  readonly created: { readonly topic: string; readonly brokerName?: string | undefined; readonly perm?: number }[] = [];
  readonly warnings: string[] = [];
  readonly stopping = new AbortController();
  /** How long calls take, in their order, in milliseconds. */
  delays: { create?: number[]; look?: number[] } = {};
  /** Brokers that do not answer. */
  readonly hung = new Set<string>();

  names(): readonly string[] {
    return [...new Set([...this.brokers.values()].flatMap((topics) => [...topics]))].sort();
  }

  client(): IdentityClient {
    return {
      admin: {
        listTopics: () => Promise.resolve([...this.names()]),
        topicRoute: (topic) => {
          const brokers = [...this.brokers].filter(([, topics]) => topics.has(topic)).map(([brokerName]) => ({ brokerName }));
          if (brokers.length === 0) return Promise.reject(new TopicNotFoundError(topic));
          return Promise.resolve({ topic, brokers } as unknown as TopicRoute);
        },
        clusterInfo: async () => {
          await after(this.delays.look?.shift());
          const brokers = [...this.brokers.keys()];
          const cluster = 'DefaultCluster';
          return {
            brokers: brokers.map((brokerName) => ({ brokerName, cluster, masterAddress: `${brokerName}:1`, addresses: new Map() })),
          };
        },
        createTopic: async ({ topic, brokerName = '', perm, timeoutMs = 10_000 }) => {
          this.created.push({ topic, brokerName, ...(perm === undefined ? {} : { perm }) });
          await after(this.hung.has(brokerName) ? timeoutMs : this.delays.create?.shift());
          if (this.hung.has(brokerName)) throw timeout();
          const failure = this.failing.get(brokerName);
          if (failure !== undefined) throw failure;
          this.brokers.get(brokerName)?.add(topic);
        },
        deleteTopic: (topic) => {
          for (const topics of this.brokers.values()) topics.delete(topic);
          return Promise.resolve();
        },
      },
    };
  }

  identity(): Promise<string> {
    const { signal } = this.stopping;
    const warn = (message: string): void => {
      this.warnings.push(message);
    };
    const found = clusterIdentity(this.client(), { setting: 'source.cluster.url', signal, warn });
    found.catch(() => undefined);
    return found;
  }
}

const refused = (): Error => new AuthorizationError({ request: 'UPDATE_AND_CREATE_TOPIC', address: 'a:1', responseCode: 16, remark: 'no' });
const timeout = (): Error => new RequestTimeoutError('broker b', 3000, 'unknown');

describe('the identity of a cluster', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: 1_800_000_000_000 });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is a topic that is created once, on every broker, for reading alone', async () => {
    const world = new World();
    const first = world.identity();
    await jest.runAllTimersAsync();
    const name = await first;
    expect(name).toMatch(/^sluice-identity-[0-9a-z]{17}$/);
    expect(world.created).toEqual(['a', 'b'].map((brokerName) => ({ topic: name, brokerName, perm: PERM_READ })));
    const again = world.identity();
    await jest.runAllTimersAsync();
    await expect(again).resolves.toBe(name);
    expect(world.created).toHaveLength(2);
  });

  it('is found without a pause where it is old, the smallest of several, among topics that only look alike', async () => {
    const world = new World();
    const old = identityAt(1_700_000_000_000);
    world.brokers.set('a', new Set([identityAt(1_700_000_000_001), old, 'sluice-identity-1', `${old}x`]));
    world.brokers.set('b', new Set([old]));
    await expect(world.identity()).resolves.toBe(old);
    expect(world.created).toEqual([]);
  });

  it.each([
    ['at the same time', {}, 0],
    ['while one is slow', { create: [1900, 1900, 0, 0] }, 0],
    ['while one is too slow, and undone', { look: [6000, 0] }, 1],
    ['one a little later', { create: [1000, 1000, 0, 0] }, 900],
  ])('is the same for two that create it %s', async (_, delays, laterMs) => {
    const world = new World();
    world.delays = delays;
    const first = world.identity();
    await jest.advanceTimersByTimeAsync(laterMs);
    const second = world.identity();
    const third = jest.advanceTimersByTimeAsync(600).then(() => world.identity());
    await jest.runAllTimersAsync();
    await jest.runAllTimersAsync();
    const all = await Promise.all([first, second, third]);
    expect(new Set(all).size).toBe(1);
    expect(world.names()).toContain(all[0]);
  });

  it('waits once for a name of the future, which a clock ahead has made', async () => {
    const world = new World();
    const future = identityAt(1_900_000_000_000);
    for (const topics of world.brokers.values()) topics.add(future);
    const found = world.identity();
    await jest.advanceTimersByTimeAsync(5000);
    await expect(found).resolves.toBe(future);
  });

  it('is created on brokers that lack it, and names those where that fails', async () => {
    const world = new World();
    const old = identityAt(1_700_000_000_000);
    world.brokers.get('a')?.add(old);
    world.failing.set('b', timeout());
    await expect(world.identity()).resolves.toBe(old);
    expect(world.warnings).toEqual([
      expect.stringContaining(`Broker b lacks topic ${old}, the identity of its cluster: source.cluster.url: `),
    ]);
    world.failing.clear();
    await expect(world.identity()).resolves.toBe(old);
    expect(world.brokers.get('b')?.has(old)).toBe(true);
  });

  it('is created where one broker is unavailable', async () => {
    const world = new World();
    world.hung.add('b');
    world.delays = { look: Array.from({ length: 20 }, () => 600) };
    const found = world.identity();
    await jest.runAllTimersAsync();
    const name = await found;
    expect(world.brokers.get('a')?.has(name)).toBe(true);
    expect(world.warnings).toContainEqual(expect.stringContaining(`Broker b lacks topic ${name}`));
  });

  it('says which permission is missing where the cluster refuses its creation', async () => {
    const world = new World();
    for (const broker of ['a', 'b']) world.failing.set(broker, refused());
    await expect(world.identity()).rejects.toMatchObject({
      code: 'CONNECT_CONFIG_INVALID',
      retriable: false,
      message: expect.stringMatching(/^source\.cluster\.url: .*the actions Create and Get on topics that begin with sluice-identity-/),
    });
    // Who may not create it may read it.
    const old = identityAt(1_700_000_000_000);
    world.brokers.get('a')?.add(old);
    await expect(world.identity()).resolves.toBe(old);
  });

  it('is unknown for a while where no broker is there, or none answers', async () => {
    const world = new World();
    for (const broker of ['a', 'b']) world.failing.set(broker, timeout());
    await expect(world.identity()).rejects.toMatchObject({ retriable: true, message: expect.stringContaining('source.cluster.url: ') });
    world.brokers.clear();
    await expect(world.identity()).rejects.toMatchObject({
      retriable: true,
      message: 'source.cluster.url: the name servers know no broker',
    });
  });

  it('ends with the signal', async () => {
    const world = new World();
    const found = world.identity();
    await jest.advanceTimersByTimeAsync(1000);
    world.stopping.abort(new Error('stopped'));
    await expect(found).rejects.toThrow('stopped');
    expect(jest.getTimerCount()).toBe(0);
  });
});
