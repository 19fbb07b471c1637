import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BrokerNotFoundError, BrokerResponseError, ConnectionClosedError, ConnectFailedError, FlowControlError } from '../../errors.js';
import { CallDeadline } from '../../connection/call-deadline.js';
import { type QueueRef, type TopicRoute, writableQueues } from '../../routing/topic-route.js';
import { decodeInnerBatch } from '../../wire/inner-batch.js';
import type { EncodedBatch } from '../../wire/batch-encoder.js';
import { SendOutcomeUnknownError, type SendSettlement } from '../send-outcome.js';
import type { EncodedMessage, SendResult } from '../producer.js';
import type { ProducerMessage } from './producer-message.js';
import type { TopicProducerOptions } from './producer-options.js';
import { QueueChoice, slotOf } from './queue-choice.js';
import { TopicProducer } from './topic-producer.js';

const TOPIC = 't';

interface Attempt {
  readonly queue: QueueRef;
  readonly bodies: readonly string[];
}

/** Two brokers with a queue each; what a send ends with is the spec's. */
class FakeCluster {
  readonly client = new AbortController();
  readonly pool = { closing: this.client.signal };
  readonly attempts: Attempt[] = [];
  readonly stored = new Map<string, string[]>();
  underWay = 0;
  mostUnderWay = 0;
  before: (attempt: Attempt) => Promise<void> | void = () => undefined;
  route: TopicRoute = routeOf('a', 'b');

  readonly routes = {
    cached: (): TopicRoute => this.route,
    route: (): Promise<TopicRoute> => Promise.resolve(this.route),
  };

  deadline(): CallDeadline {
    return new CallDeadline(1_000, undefined);
  }

  sendBatch(queue: QueueRef, batch: EncodedBatch): Promise<SendResult> {
    const outer = { ...queue, queueOffset: 0, bornTimestamp: 0, storeTimestamp: 0, property: () => undefined };
    return this.#send(
      queue,
      decodeInnerBatch(outer, batch.bytes).map((message) => message.body.toString()),
    );
  }

  sendEncoded(queue: QueueRef, message: EncodedMessage): Promise<SendResult> {
    return this.#send(queue, [Buffer.from(message.body).toString()]);
  }

  async #send(queue: QueueRef, bodies: readonly string[]): Promise<SendResult> {
    const attempt = { queue, bodies };
    this.attempts.push(attempt);
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      await new Promise((resolve) => setImmediate(resolve));
      await this.before(attempt);
      return { status: 'stored', firstOffset: this.store(attempt), count: bodies.length };
    } finally {
      this.underWay -= 1;
    }
  }

  store({ queue, bodies }: Attempt): number {
    const list = this.stored.get(queue.brokerName) ?? [];
    this.stored.set(queue.brokerName, list);
    const firstOffset = list.length;
    list.push(...bodies);
    return firstOffset;
  }
}

function routeOf(...brokerNames: string[]): TopicRoute {
  const brokers = brokerNames.map((brokerName) => ({
    brokerName,
    cluster: 'c',
    masterAddress: `${brokerName}:1`,
    addresses: new Map([[0, `${brokerName}:1`]]),
    readQueues: 1,
    writeQueues: 1,
    isReadable: true,
    isWritable: true,
  }));
  return { topic: TOPIC, brokers };
}

const onA: QueueRef = { topic: TOPIC, brokerName: 'a', queueId: 0 };
const answer = { request: 'SEND', address: 'a', responseCode: 1, remark: 'in-sync replicas not enough' };
const busy = new FlowControlError({ ...answer, responseCode: 2, remark: 'busy' });
const quorumTimeout = new BrokerResponseError(answer, { retriable: true });

function unknown(settled: Promise<SendSettlement<SendResult>>): SendOutcomeUnknownError<SendResult> {
  return new SendOutcomeUnknownError('send to t/a/0', 'timeout', settled);
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a topic producer', () => {
  let cluster: FakeCluster;
  let producer: TopicProducer;

  function open(options: TopicProducerOptions = {}): void {
    const retryBackoff = { initialMs: 1, maxMs: 4 };
    const context = { cluster, producer: cluster, maxMessageBytes: 1_000_000 };
    producer = new TopicProducer(TOPIC, { retryBackoff, ...options }, context);
  }

  beforeEach(() => {
    cluster = new FakeCluster();
    open();
  });

  afterEach(async () => {
    cluster.client.abort();
    await producer.close();
  });

  const send = (body: string, queue?: QueueRef): ReturnType<TopicProducer['send']> => producer.send({ body: Buffer.from(body), queue });

  it('gives no offset where the broker gave none', async () => {
    cluster.store = () => -1;
    const stored = await Promise.all([send('1', onA), send('2', onA)]);
    expect(stored.map(({ offset }) => offset)).toEqual([undefined, undefined]);
  });

  it('has one batch of a queue under way, and keeps the order when brokers refuse some', async () => {
    open({ maxBatchMessages: 3 });
    let count = 0;
    cluster.before = () => {
      count += 1;
      if (count % 3 === 0) throw busy;
    };
    const stored = await Promise.all(Array.from({ length: 20 }, (_, index) => send(String(index), onA)));
    expect(cluster.mostUnderWay).toBe(1);
    expect(stored.map((at) => at.offset)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(cluster.stored.get('a')).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
    expect(producer.stats.resentNotStored).toBeGreaterThan(0);
  });

  it('sends at another broker what one did not store, if no queue was asked for', async () => {
    open({ retryBackoff: { initialMs: 60_000, maxMs: 60_000 } });
    cluster.before = ({ queue }) => {
      if (queue.brokerName === 'a') throw new ConnectFailedError('a:1', 'refused');
    };
    const stored = await Promise.all(Array.from({ length: 10 }, (_, index) => send(String(index))));
    expect(new Set(stored.map((at) => at.queue.brokerName))).toEqual(new Set(['b']));
    expect(cluster.attempts.filter(({ queue }) => queue.brokerName === 'a')).toHaveLength(1);
  });

  it('sends nothing again before it is known how a send ended, and takes a late answer', async () => {
    let settle: (settlement: SendSettlement<SendResult>) => void = () => undefined;
    cluster.before = (attempt) => {
      if (!attempt.bodies.includes('late')) return;
      const settled = new Promise<SendSettlement<SendResult>>((resolve) => (settle = resolve));
      throw unknown(settled);
    };
    const late = send('late', onA);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const behind = send('behind', onA);
    const elsewhere = await send('elsewhere');
    expect(elsewhere.queue.brokerName).toBe('b');
    expect(cluster.attempts.filter(({ queue }) => queue.brokerName === 'a')).toHaveLength(1);
    cluster.before = () => undefined;
    settle({ kind: 'stored', result: { status: 'slave-not-available', firstOffset: 41, count: 1 } });
    expect(await late).toMatchObject({ queue: onA, offset: 41, status: 'slave-not-available' });
    expect((await behind).queue).toEqual(onA);
    expect(cluster.attempts.filter(({ bodies }) => bodies.includes('late'))).toHaveLength(1);
  });

  it('sends again what turns out as not stored', async () => {
    let isFirst = true;
    cluster.before = () => {
      if (!isFirst) return;
      isFirst = false;
      throw unknown(Promise.resolve({ kind: 'failed', error: busy }));
    };
    expect(await send('m', onA)).toMatchObject({ offset: 0 });
    expect(cluster.stored.get('a')).toEqual(['m']);
  });

  it('rejects what may have been stored, or sends it again where that is wanted', async () => {
    const closed = new ConnectionClosedError('a:1', 'unknown', 'reset');
    const cut = (): void => {
      cluster.before = (attempt) => {
        cluster.store(attempt);
        cluster.before = () => undefined;
        throw unknown(Promise.resolve({ kind: 'unknown', error: closed }));
      };
    };
    cut();
    await expect(send('once', onA)).rejects.toMatchObject({
      code: 'SEND_OUTCOME_UNKNOWN',
      reason: 'connection-closed',
    });
    expect(cluster.stored.get('a')).toEqual(['once']);
    expect(producer.stats.resentUnknown).toBe(0);
    open({ onUnknownOutcome: 'resend' });
    cut();
    await send('twice', onA);
    expect(cluster.stored.get('a')).toEqual(['once', 'twice', 'twice']);
    expect(producer.stats.resentUnknown).toBe(1);
  });

  it('reports the attempt that may have stored the message, whatever came before and after it', async () => {
    const illegal = new BrokerResponseError({ ...answer, responseCode: 13 }, { retriable: false, outcome: 'not-sent' });
    const maybe = unknown(Promise.resolve({ kind: 'unknown', error: quorumTimeout }));
    open({ onUnknownOutcome: 'resend' });
    const fails = [busy, maybe, busy, illegal];
    cluster.before = () => {
      throw fails.shift() ?? new Error('an attempt too many');
    };
    await expect(send('m', onA)).rejects.toMatchObject({ outcome: 'unknown', code: 'SEND_OUTCOME_UNKNOWN' });
    open();
    fails.push(busy, maybe);
    await expect(send('m', onA)).rejects.toMatchObject({ outcome: 'unknown' });
    fails.push(busy, illegal);
    await expect(send('m', onA)).rejects.toBe(illegal);
    expect(fails).toEqual([]);
  });

  it('tries a broker that failed with one message', async () => {
    cluster.before = () => {
      cluster.before = () => undefined;
      throw busy;
    };
    await Promise.all(['1', '2', '3'].map((body) => send(body, onA)));
    expect(cluster.attempts.map(({ bodies }) => bodies)).toEqual([['1', '2', '3'], ['1'], ['2', '3']]);
  });

  it('finds the illegal one of a batch', async () => {
    cluster.before = ({ bodies }) => {
      if (!bodies.includes('bad')) return;
      throw new BrokerResponseError({ ...answer, responseCode: 13 }, { retriable: false, outcome: 'not-sent' });
    };
    const ends = await Promise.allSettled(['1', 'bad', '2'].map((body) => send(body, onA)));
    expect(ends.map((end) => end.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(cluster.stored.get('a')).toEqual(['1', '2']);
  });

  it('gives up after the delivery timeout, with the reason', async () => {
    open({ deliveryTimeoutMs: 50 });
    cluster.before = () => {
      throw busy;
    };
    await expect(send('m', onA)).rejects.toBe(busy);
    expect(cluster.attempts.length).toBeGreaterThan(1);
    expect(producer.stats.pendingMessages).toBe(0);
  });

  it('waits for more messages, but not when it is flushed', async () => {
    open({ lingerMs: 60_000, maxBatchMessages: 4 });
    const waiting = [send('1', onA), send('2', onA)];
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(cluster.attempts).toEqual([]);
    waiting.push(send('3', onA), send('4', onA));
    await Promise.all(waiting);
    expect(cluster.attempts.map(({ bodies }) => bodies)).toEqual([['1', '2', '3', '4']]);
    const last = send('5', onA);
    await producer.flush();
    expect(await last).toMatchObject({ offset: 4 });
  });

  it('takes views on memory of any kind, in batches and alone, and nothing else for a body', async () => {
    const memory = new TextEncoder().encode('0123456789');
    await producer.send({ body: memory.subarray(2, 5), queue: onA });
    await producer.send({ body: new Uint8Array(memory.buffer, 7), queue: onA, delayLevel: 1 });
    expect(cluster.stored.get('a')).toEqual(['234', '789']);
    await expect(producer.send({ body: 'text' as unknown as Uint8Array })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'body: expected a Buffer or another Uint8Array, got String',
    });
  });

  it('waits for room, and a flush for those that waited too', async () => {
    open({ maxPendingMessages: 2 });
    const sends = Array.from({ length: 7 }, (_, index) => send(String(index), onA));
    expect(producer.stats).toMatchObject({ pendingMessages: 2, waitingSends: 5 });
    const offsets: (number | undefined)[] = [];
    for (const sent of sends) void sent.then(({ offset }) => offsets.push(offset));
    await producer.flush();
    expect(offsets).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('follows the route: sharded messages go where their queue went, pinned ones stay', async () => {
    cluster.route = routeOf('a');
    cluster.before = ({ queue }) => {
      if (queue.brokerName === 'a') throw busy;
    };
    const keyed = producer.send({ body: Buffer.from('keyed'), shardingKey: 'k' });
    const pinned = send('pinned', onA);
    await new Promise((resolve) => setTimeout(resolve, 20));
    cluster.route = routeOf('b');
    expect((await keyed).queue.brokerName).toBe('b');
    cluster.before = () => undefined;
    expect((await pinned).queue).toEqual(onA);
  });

  /** A key whose queue is at the broker while both are there. */
  const keyOf = (broker: string): string => {
    const choice = new QueueChoice(writableQueues(routeOf('a', 'b')));
    return ['k1', 'k2', 'k3', 'k4', 'k5', 'k6'].find((key) => choice.ofSlot(slotOf(key))?.brokerName === broker) ?? '';
  };
  const sendKeyed = (body: string, shardingKey: string): ReturnType<TopicProducer['send']> =>
    producer.send({ body: Buffer.from(body), shardingKey });

  it('keeps the order of a key whose broker leaves the route and comes back', async () => {
    const key = keyOf('a');
    let refuse: (() => void) | undefined;
    const refused = new Promise<void>((resolve) => (refuse = resolve));
    cluster.before = async () => {
      cluster.before = () => undefined;
      await refused;
      throw busy;
    };
    const sends = ['m1', 'm2', 'm3'].map((body) => sendKeyed(body, key));
    await until(() => cluster.underWay === 1);
    cluster.route = routeOf('b');
    sends.push(...['m4', 'm5'].map((body) => sendKeyed(body, key)));
    const other = await sendKeyed('other', keyOf('b'));
    expect(other.queue.brokerName).toBe('b');
    cluster.route = routeOf('a', 'b');
    sends.push(...['m6', 'm7'].map((body) => sendKeyed(body, key)));
    await send('anywhere');
    refuse?.();
    const stored = await Promise.all(sends);
    expect(new Set(stored.map(({ queue }) => queue.brokerName)).size).toBe(1);
    const bodies = cluster.stored.get(stored[0]!.queue.brokerName) ?? [];
    expect(bodies.filter((body) => body.startsWith('m'))).toEqual(['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7']);
  });

  it('moves what waits for a queue together with its key when a broker comes', async () => {
    const key = keyOf('b');
    cluster.route = routeOf('a');
    cluster.before = ({ queue }) => {
      if (queue.brokerName === 'a') throw busy;
    };
    const sends = [sendKeyed('m1', key), sendKeyed('m2', key)];
    await until(() => cluster.attempts.length > 0);
    cluster.route = routeOf('a', 'b');
    sends.push(sendKeyed('m3', key));
    const stored = await Promise.all(sends);
    expect(stored.map(({ queue }) => queue.brokerName)).toEqual(['b', 'b', 'b']);
    expect(cluster.stored.get('b')).toEqual(['m1', 'm2', 'm3']);
  });

  it('keeps keys with the queues of an order configuration while their broker is unavailable', async () => {
    const key = keyOf('a');
    const orderedQueues = writableQueues(routeOf('a', 'b'));
    cluster.route = { ...routeOf('b'), orderedQueues };
    let tries = 0;
    cluster.before = ({ queue }) => {
      if (queue.brokerName === 'a' && ++tries < 3) throw new BrokerNotFoundError('a', ['b'], 'in the route');
    };
    expect((await sendKeyed('m', key)).queue).toEqual(onA);
    expect((await send('any')).queue.brokerName).toBe('b');
  });

  it('sends elsewhere what a queue does not take, and gives up where there is nothing else', async () => {
    const illegal = { ...answer, responseCode: 29, remark: 'request queueId[0] is illegal, TopicConfig' };
    const refusal = new BrokerResponseError(illegal, { retriable: false, outcome: 'not-sent' });
    cluster.before = ({ queue }) => {
      if (queue.brokerName === 'a') throw refusal;
    };
    const stored = await Promise.all([send('1'), send('2')]);
    expect(stored.map(({ queue }) => queue.brokerName)).toEqual(['b', 'b']);
    await expect(send('pinned', onA)).rejects.toBe(refusal);
    cluster.route = routeOf('a');
    await expect(send('nowhere')).rejects.toBe(refusal);
  });

  it('gives up what waits for room after the delivery timeout, also when nothing else ends', async () => {
    open({ deliveryTimeoutMs: 50, maxPendingMessages: 1 });
    let settle: (() => void) | undefined;
    cluster.before = () => new Promise<void>((resolve) => (settle = resolve));
    const first = send('first', onA);
    await expect(send('waiting', onA)).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', outcome: 'not-sent' });
    settle?.();
    expect(await first).toMatchObject({ offset: 0 });
  });

  it('sends many with one promise, which says what became of each when some fail', async () => {
    const message = (body: string): ProducerMessage => ({ body: Buffer.from(body), queue: onA });
    expect((await producer.sendAll(['1', '2'].map(message))).map(({ offset }) => offset)).toEqual([0, 1]);
    expect(await producer.sendAll([])).toEqual([]);
    cluster.before = ({ bodies }) => {
      if (!bodies.includes('bad')) return;
      throw new BrokerResponseError({ ...answer, responseCode: 13 }, { retriable: false, outcome: 'not-sent' });
    };
    await expect(producer.sendAll(['3', 'bad', '4'].map(message))).rejects.toMatchObject({
      code: 'SENDS_FAILED',
      outcome: 'not-sent',
      failures: [{ index: 1 }],
      stored: [{ offset: 2 }, undefined, { offset: 3 }],
    });
    const attempts = cluster.attempts.length;
    await expect(producer.sendAll([message('5'), { ...message('6'), tag: '' }])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    open({ maxPendingMessages: 1, maxWaitingSends: 1 });
    const tooMany = producer.sendAll(['7', '8', '9'].map(message));
    await expect(tooMany).rejects.toMatchObject({ code: 'PRODUCER_OVERLOADED' });
    expect(cluster.attempts).toHaveLength(attempts);
  });

  it('takes nothing any more once it or its client is closed, and rejects what waits', async () => {
    open({ lingerMs: 60_000 });
    const waiting = send('m', onA);
    cluster.client.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CLIENT_CLOSED', outcome: 'not-sent' });
    await expect(send('n')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    cluster = new FakeCluster();
    open();
    const last = send('last', onA);
    await producer.close();
    expect(await last).toMatchObject({ offset: 0 });
    await expect(send('late')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    open({ lingerMs: 60_000 });
    cluster.before = () => {
      throw busy;
    };
    const dropped = send('dropped', onA);
    const closing = new AbortController();
    const closed = producer.close({ signal: closing.signal });
    closing.abort();
    await closed;
    await expect(dropped).rejects.toMatchObject({ outcome: 'not-sent' });
  });
});
