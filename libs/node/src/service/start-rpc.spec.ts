import { describe, expect, it } from '@jest/globals';
import { TopicNotFoundError } from '@sluice/rocketmq';
import { RpcError } from '@sluice/rpc';
import { startRpc } from './start-rpc.js';

const unknownTopic = new RpcError('RPC_STARTUP_FAILED', 'no route', {
  retriable: true,
  cause: new TopicNotFoundError('rpc'),
});

class FakeEndpoint {
  isStopped = false;
  constructor(private readonly failure?: Error) {}
  start(): Promise<void> {
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }
  stop(): Promise<void> {
    this.isStopped = true;
    return Promise.resolve();
  }
}

/** Endpoints whose starts fail like that, one after the other, and then one that starts. */
function endpoints(...failures: readonly Error[]): {
  create: () => FakeEndpoint;
  made: FakeEndpoint[];
  told: string[];
} {
  const made: FakeEndpoint[] = [];
  const create = (): FakeEndpoint => {
    const endpoint = new FakeEndpoint(failures[made.length]);
    made.push(endpoint);
    return endpoint;
  };
  return { create, made, told: [] };
}

describe('the start of an rpc endpoint', () => {
  it('is made again with another endpoint while the proxy does not know the topic', async () => {
    const { create, made, told } = endpoints(unknownTopic);
    const logger = { warn: (text: string) => void told.push(text) };
    const started = await startRpc(create, logger, new AbortController().signal);
    expect(made.map(({ isStopped }) => isStopped)).toEqual([true, false]);
    expect(started).toBe(made[1]);
    expect(told).toEqual(['The proxy does not know the topic yet and is asked again: no route']);
  });

  it('fails for any other reason, with everything released', async () => {
    const refused = new RpcError('RPC_STARTUP_FAILED', 'no proxy there', { retriable: true });
    const { create, made } = endpoints(refused);
    const logger = { warn: () => undefined };
    await expect(startRpc(create, logger, new AbortController().signal)).rejects.toBe(refused);
    expect(made.map(({ isStopped }) => isStopped)).toEqual([true]);
  });

  it('ends when the node is asked to stop', async () => {
    const stopping = new AbortController();
    const reason = new Error('the process was asked to stop');
    const { create } = endpoints(unknownTopic, unknownTopic);
    const logger = {
      warn: () => {
        stopping.abort(reason);
      },
    };
    await expect(startRpc(create, logger, stopping.signal)).rejects.toBe(reason);
  });
});
