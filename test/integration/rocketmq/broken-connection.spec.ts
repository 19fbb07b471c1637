import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  RocketMqClient,
  SendOutcomeUnknownError,
  writableQueues,
  type QueueReaderState,
  type QueueRef,
  type SendResult,
} from '@sluice/rocketmq';
import { CuttableProxy } from './cuttable-proxy.js';
import { RouteRewritingProxy } from '../../support/route-rewriting-proxy.js';

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';

describe('a broker that goes away', () => {
  const run = `${Date.now()}-${process.pid}`;
  const topic = `it-broken-${run}`;
  const group = `it-broken-${run}`;
  let direct: RocketMqClient;
  let client: RocketMqClient;
  let broker: CuttableProxy;
  let namesrv: RouteRewritingProxy;
  let queue: QueueRef;

  beforeAll(async () => {
    direct = RocketMqClient.open({ namesrv: NAMESRV.split(/[;,]/)[0]!, requestTimeoutMs: 10_000 });
    await direct.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    await direct.admin.createGroup({ group });
    const route = await direct.routes.get(topic);
    [queue] = writableQueues(route) as [QueueRef];
    const address = route.brokers.find((known) => known.brokerName === queue.brokerName)!.masterAddress!;
    broker = await CuttableProxy.to(address);
    namesrv = await RouteRewritingProxy.of(NAMESRV.split(/[;,]/)[0]!, address, broker.address);
    client = RocketMqClient.open({
      namesrv: namesrv.address,
      requestTimeoutMs: 10_000,
      reconnectBackoff: { initialMs: 10, maxMs: 50 },
    });
  });

  afterEach(() => {
    broker.releaseAnswers();
    broker.up();
  });

  afterAll(async () => {
    await client.close();
    await broker.close();
    await namesrv.close();
    await direct.admin.deleteTopic(topic);
    await direct.close();
  });

  const message = (text: string): { body: Buffer } => ({ body: Buffer.from(text) });

  async function unknown(send: Promise<SendResult>): Promise<SendOutcomeUnknownError<SendResult>> {
    const error = await send.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SendOutcomeUnknownError);
    return error as SendOutcomeUnknownError<SendResult>;
  }

  it('settles a send that timed out as stored when its reply comes late', async () => {
    await client.producer.send(queue, message('connect'));
    broker.holdAnswers();
    const error = await unknown(client.producer.send(queue, message('late'), { timeoutMs: 100 }));
    expect(error).toMatchObject({ reason: 'timeout', outcome: 'unknown', retriable: true });
    broker.releaseAnswers();
    const settled = await error.settled;
    expect(settled).toMatchObject({ kind: 'stored', result: { status: 'stored' } });
    const offset = settled.kind === 'stored' ? settled.result.firstOffset : -1;
    const { messages } = await direct.consumer.pull({ queue, offset, group, suspendMs: 5000 });
    expect(messages[0]?.body.toString()).toBe('late');
  });

  it('settles an aborted send when its connection is cut, though it was stored', async () => {
    const before = await client.admin.maxOffset(queue);
    broker.holdAnswers();
    const abort = new AbortController();
    const sending = unknown(client.producer.send(queue, message('aborted'), { signal: abort.signal }));
    const reader = direct.consumer.readQueue(queue, { from: before, group });
    expect((await reader.next())[0]?.body.toString()).toBe('aborted');
    reader.close();
    abort.abort();
    const error = await sending;
    expect(error.reason).toBe('aborted');
    broker.cut();
    expect(await error.settled).toMatchObject({ kind: 'unknown' });
  });

  it('rejects pending sends as unknown and later ones as not sent when the broker is gone', async () => {
    await client.producer.send(queue, message('connect'));
    broker.holdAnswers();
    const sending = unknown(client.producer.send(queue, message('cut')));
    await direct.admin.maxOffset(queue);
    await new Promise((resolve) => setImmediate(resolve));
    broker.down();
    const error = await sending;
    expect(error.reason).toBe('connection-closed');
    expect(await error.settled).toMatchObject({ kind: 'unknown' });
    broker.releaseAnswers();
    broker.up();
    expect((await client.producer.send(queue, message('again'))).status).toBe('stored');
  });

  it('reads on without a gap through cuts and an outage', async () => {
    const from = await direct.admin.maxOffset(queue);
    const states: QueueReaderState[] = [];
    const reader = client.consumer.readQueue(queue, {
      from,
      group,
      retryBackoff: { initialMs: 10, maxMs: 50 },
      onState: (state) => states.push(state),
    });
    const total = 3_000;
    const writing = (async () => {
      for (let count = 0; count < total; count += 1) {
        await direct.producer.send(queue, message(String(count)));
        if (count === 500 || count === 1_000) broker.cut();
        if (count === 1_500) broker.down();
        if (count === 2_000) broker.up();
      }
    })();
    let next = 0;
    while (next < total) {
      for (const one of await reader.next()) {
        expect([one.queueOffset, one.body.toString()]).toEqual([from + next, String(next)]);
        next += 1;
      }
    }
    await writing;
    expect(states.some((state) => state.kind === 'retrying')).toBe(true);
    expect(states.at(-1)).toEqual({ kind: 'reading' });
    reader.close();
  });

  it('ends calls at their deadline while the broker is silent', async () => {
    await client.admin.maxOffset(queue);
    broker.holdAnswers();
    const start = performance.now();
    await expect(client.admin.maxOffset(queue, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    await expect(client.consumer.pull({ queue, offset: 0, group, timeoutMs: 100 })).rejects.toMatchObject({
      code: 'REQUEST_TIMEOUT',
      retriable: true,
    });
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('ends pending calls at once when the client closes', async () => {
    const own = RocketMqClient.open({ namesrv: namesrv.address, requestTimeoutMs: 60_000 });
    await own.admin.maxOffset(queue);
    broker.holdAnswers();
    const sending = unknown(own.producer.send(queue, message('closing')));
    const asking = expect(own.admin.minOffset(queue)).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await new Promise((resolve) => setImmediate(resolve));
    await own.close();
    expect((await sending).reason).toBe('connection-closed');
    await asking;
    await expect(own.producer.send(queue, message('closed'))).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
  });
});
