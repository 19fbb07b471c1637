import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nodeGroup, type RpcEndpoint, RpcError, RpcTimeoutError } from '../../../libs/rpc/src/index.js';
import { eventually } from './eventually.js';
import { RpcCluster, RPC_PROTOCOLS } from './rpc-cluster.js';

/** Of the receiver: whatever came in, the message to itself at the start included, but for failed deliveries of events. */
async function allAcknowledged(endpoint: RpcEndpoint): Promise<void> {
  await eventually('every message acknowledged', () => endpoint.counters.acked === endpoint.counters.received);
}

describe.each(RPC_PROTOCOLS)('RpcEndpoint on RocketMQ over %s', (protocol) => {
  let cluster: RpcCluster;

  beforeAll(async () => {
    cluster = await RpcCluster.create(protocol);
  }, 180_000);

  afterAll(async () => {
    await cluster.close();
  }, 180_000);

  it('matches 100 parallel requests with their replies and acknowledges every message', async () => {
    const asking = await cluster.started('parallel-a');
    const answering = await cluster.started('parallel-b');
    let handled = 0;
    answering.serve(async ({ data }) => {
      handled += 1;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      return { squared: (data as number) ** 2 };
    });
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const replies = await Promise.all(
      numbers.map((number) => asking.request({ node: 'parallel-b', pattern: 'square' }, number, { timeoutMs: 60_000 })),
    );
    expect(replies).toEqual(numbers.map((number) => ({ squared: number ** 2 })));
    await eventually('all messages acknowledged', () =>
      [asking, answering].every(({ counters }) => counters.received > 100 && counters.acked === counters.received),
    );
    expect(handled).toBe(100);
    expect(answering.counters).toMatchObject({ failed: 0, expired: 0, ackFailures: 0 });
    expect(asking.counters).toMatchObject({ requestsSent: 100, sendFailures: 0 });
  });

  it('carries pattern, metadata, undefined and non-ASCII data unharmed in both directions', async () => {
    const asking = await cluster.started('data.a/1');
    const answering = await cluster.started('data b:2');
    answering.serve(async ({ pattern, data, metadata }) => Promise.resolve(data === undefined ? undefined : { pattern, data, metadata }));
    const metadata = { traceparent: '00-ab-cd-01', note: 'line\nbreak \u0085 ü' };
    await expect(
      asking.request({ node: 'data b:2', pattern: '{"cmd":"plugins"}' }, { text: 'grüße\n\u0001', list: [1, null] }, { metadata }),
    ).resolves.toEqual({ pattern: '{"cmd":"plugins"}', data: { text: 'grüße\n\u0001', list: [1, null] }, metadata });
    await expect(asking.request({ node: 'data b:2', pattern: 'nothing' }, undefined)).resolves.toBeUndefined();
  });

  it('answers a request of unknown pattern with an error', async () => {
    const asking = await cluster.started('unknown-a');
    const answering = await cluster.started('unknown-b');
    await expect(asking.request({ node: 'unknown-b', pattern: 'nobody.knows' }, {})).rejects.toMatchObject({
      code: 'RPC_UNKNOWN_PATTERN',
      message: "Node 'unknown-b' has no handler for 'nobody.knows'",
    });
    await allAcknowledged(answering);
    expect(answering.counters.unknownPattern).toBe(1);
  });

  it('times out by the deadline when the node does not exist, naming node and pattern', async () => {
    const asking = await cluster.started('lonely');
    const startedAt = Date.now();
    const error = await asking.request({ node: 'ghost', pattern: 'ping' }, {}, { timeoutMs: 700 }).catch((reason: unknown) => reason);
    expect(Date.now() - startedAt).toBeLessThan(6_000);
    expect(error).toBeInstanceOf(RpcTimeoutError);
    expect(error).toMatchObject({
      code: 'RPC_TIMEOUT',
      node: 'ghost',
      pattern: 'ping',
      timeoutMs: 700,
      retriable: true,
    });
    expect(asking.pendingRequests).toBe(0);
  });

  it('acknowledges and counts a request past its deadline without handling it', async () => {
    const asking = await cluster.started('late-a');
    const answering = await cluster.started('late-b', { maxConcurrentHandlers: 1 });
    const handled: unknown[] = [];
    let release: () => void = () => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    answering.serve(async ({ data }) => {
      handled.push(data);
      await blocked;
      return 'done';
    });
    const first = asking.request({ node: 'late-b', pattern: 'work' }, 'first', { timeoutMs: 60_000 });
    await eventually('the first request in its handler', () => handled.length === 1);
    await expect(asking.request({ node: 'late-b', pattern: 'work' }, 'second', { timeoutMs: 600 })).rejects.toBeInstanceOf(RpcTimeoutError);
    release();
    await expect(first).resolves.toBe('done');
    await allAcknowledged(answering);
    expect(handled).toEqual(['first']);
    expect(answering.counters.expired).toBeGreaterThanOrEqual(1);
  });

  it('delivers a failing event again until its handler succeeds, and acknowledges only then', async () => {
    const sending = await cluster.started('event-a');
    const handling = await cluster.started('event-b');
    await allAcknowledged(handling);
    const ackedBefore = handling.counters.acked;
    const attempts: number[] = [];
    const ackedAtHandling: number[] = [];
    handling.serve(async ({ deliveryAttempt }) => {
      attempts.push(deliveryAttempt);
      ackedAtHandling.push(handling.counters.acked - ackedBefore);
      return attempts.length === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve();
    });
    await sending.emit({ node: 'event-b', pattern: 'changed' }, { version: 7 });
    await eventually('the event acknowledged', () => handling.counters.acked === ackedBefore + 1, 25_000);
    expect(attempts).toHaveLength(2);
    expect(attempts[1]).toBeGreaterThan(1);
    expect(ackedAtHandling).toEqual([0, 0]);
    expect(handling.counters.failed).toBe(1);
  }, 180_000);

  it('gives up an event after its last delivery', async () => {
    const sending = await cluster.started('giveup-a');
    const handling = await cluster.started('giveup-b', { maxDeliveryAttempts: 2 });
    handling.serve(() => Promise.reject(new Error('never')));
    await sending.emit({ node: 'giveup-b', pattern: 'changed' }, {});
    await eventually('the event given up', () => handling.counters.abandoned === 1, 25_000);
    expect(handling.counters.failed).toBe(2);
    expect(cluster.logged.some((line) => /Event 'changed' .* delivery 2 of 2\) is given up: never/.test(line))).toBe(true);
  }, 180_000);

  it('refuses a body above the limit before sending, and a reply above it with an error to the caller', async () => {
    const asking = await cluster.started('large-a');
    const answering = await cluster.started('large-b', { maxBodyBytes: 1_000 });
    answering.serve(() => Promise.resolve('x'.repeat(1_000)));
    await expect(asking.request({ node: 'large-b', pattern: 'big' }, 'x'.repeat(3 * 1024 * 1024))).rejects.toMatchObject({
      code: 'RPC_TOO_LARGE',
      message: expect.stringMatching(/^The request 'big' has \d+ bytes; at most 3145728 are allowed$/),
    });
    await expect(asking.request({ node: 'large-b', pattern: 'big' }, {})).rejects.toMatchObject({
      code: 'RPC_TOO_LARGE',
    });
    expect(asking.counters.requestsSent).toBe(1);
  });

  it('carries a body just below the limit', async () => {
    const asking = await cluster.started('three-a');
    const answering = await cluster.started('three-b');
    answering.serve(({ data }) => Promise.resolve((data as string).length));
    const length = 3 * 1024 * 1024 - 100;
    await expect(asking.request({ node: 'three-b', pattern: 'len' }, 'x'.repeat(length), { timeoutMs: 60_000 })).resolves.toBe(length);
  });

  it('answers requests beyond its places and its queue as overloaded', async () => {
    const asking = await cluster.started('busy-a');
    const answering = await cluster.started('busy-b', { maxConcurrentHandlers: 1, maxQueuedMessages: 1 });
    let release: () => void = () => undefined;
    const blocked = new Promise<string>((resolve) => {
      release = () => {
        resolve('done');
      };
    });
    answering.serve(() => blocked);
    const requests = [1, 2, 3, 4].map((data) => asking.request({ node: 'busy-b', pattern: 'work' }, data, { timeoutMs: 60_000 }));
    const outcomes = Promise.allSettled(requests);
    await eventually('two refused', () => answering.counters.overloaded === 2);
    release();
    const settled = await outcomes;
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    for (const outcome of settled) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'RPC_OVERLOADED', retriable: true });
    }
  });

  it('lets a handler ask another node although all its places are taken', async () => {
    const asking = await cluster.started('nested-a');
    const middle = await cluster.started('nested-b', { maxConcurrentHandlers: 1 });
    const last = await cluster.started('nested-c');
    middle.serve(async ({ data }) => middle.request({ node: 'nested-c', pattern: 'add' }, data));
    last.serve(({ data }) => Promise.resolve((data as number) + 1));
    await expect(asking.request({ node: 'nested-b', pattern: 'add' }, 1)).resolves.toBe(2);
  });

  it('forgets a cancelled request and counts its late reply', async () => {
    const asking = await cluster.started('cancel-a');
    const answering = await cluster.started('cancel-b');
    const cancel = new AbortController();
    answering.serve(() => {
      cancel.abort();
      return Promise.resolve('too late');
    });
    await expect(asking.request({ node: 'cancel-b', pattern: 'work' }, {}, { signal: cancel.signal })).rejects.toMatchObject({
      code: 'RPC_CANCELLED',
    });
    expect(asking.pendingRequests).toBe(0);
    await eventually('the late reply', () => asking.counters.unmatchedReplies === 1);
  });

  it('waits at stop() for a running handler, whose reply still arrives', async () => {
    const asking = await cluster.started('drain-a');
    const answering = await cluster.started('drain-b');
    let isStopped = false;
    let stopping: Promise<void> | undefined;
    answering.serve(async () => {
      stopping ??= answering.stop().then(() => {
        isStopped = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      return isStopped;
    });
    await expect(asking.request({ node: 'drain-b', pattern: 'slow' }, {})).resolves.toBe(false);
    await stopping;
    expect(isStopped).toBe(true);
    await expect(answering.request({ node: 'drain-a', pattern: 'x' }, {})).rejects.toMatchObject({
      code: 'RPC_STOPPED',
    });
  });

  it('fails the start within its time limit, naming topic and group, when the topic does not exist', async () => {
    const endpoint = cluster.endpoint('nowhere', {
      topic: `${cluster.topic}-missing`,
      startupTimeoutMs: 8_000,
      prepareGroup: () => Promise.resolve(),
    });
    const error = await endpoint.start().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({
      code: 'RPC_STARTUP_FAILED',
      message: expect.stringContaining(nodeGroup(`${cluster.topic}-missing`, 'nowhere')),
    });
    expect(endpoint.state).toBe('failed');
  }, 180_000);

  it('fails the start within its time limit when nothing listens', async () => {
    const endpoint = cluster.endpoint('deaf', {
      url: protocol === 'grpc' ? 'rocketmq+grpc://127.0.0.1:1' : 'rocketmq://127.0.0.1:1',
      startupTimeoutMs: 1_500,
    });
    const startedAt = Date.now();
    await expect(endpoint.start()).rejects.toMatchObject({ code: 'RPC_STARTUP_FAILED', retriable: true });
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect(endpoint.state).toBe('failed');
  });

  it('receives what is sent right after start(), and nothing that was sent before it', async () => {
    const sending = await cluster.started('fresh-a');
    await sending.emit({ node: 'fresh-b', pattern: 'n' }, 'before');
    const seen: unknown[] = [];
    const receiving = cluster.endpoint('fresh-b');
    receiving.serve(({ data }) => {
      seen.push(data);
      return Promise.resolve();
    });
    await receiving.start();
    for (let index = 0; index < 8; index += 1) await sending.emit({ node: 'fresh-b', pattern: 'n' }, index);
    await eventually('all eight', () => seen.length >= 8);
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});
