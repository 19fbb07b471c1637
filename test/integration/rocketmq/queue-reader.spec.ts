import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BatchEncoder, FlowControlError, RocketMqClient, writableQueues, type QueueRef } from '@sluice/rocketmq';

const NAMESRV = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const MESSAGES = 200_000;
const BATCH = 1_000;

describe('QueueReader on a real broker', () => {
  const run = `${Date.now()}-${process.pid}`;
  const topic = `it-reader-${run}`;
  const group = `it-reader-${run}`;
  let client: RocketMqClient;
  let queues: QueueRef[];

  beforeAll(async () => {
    client = RocketMqClient.open({ namesrv: NAMESRV, requestTimeoutMs: 10_000 });
    await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await client.admin.createGroup({ group });
    queues = writableQueues(await client.routes.get(topic));
  });

  afterAll(async () => {
    await client.admin.deleteTopic(topic);
    await client.close();
  });

  async function write(queue: QueueRef, count: number): Promise<void> {
    const encoder = new BatchEncoder({ topicBytes: topic.length });
    const body = Buffer.alloc(100, 'x');
    for (let sent = 0; sent < count;) {
      encoder.reset();
      for (let index = 0; index < BATCH; index += 1) {
        body.writeUInt32BE(sent + index, 0);
        encoder.add(body, 's\u00010123456789abcdef');
      }
      try {
        await client.producer.sendBatch(queue, encoder.finish());
        sent += BATCH;
      } catch (error) {
        if (!(error instanceof FlowControlError)) throw error;
      }
    }
  }

  it('reads 200,000 messages of one queue in order while they are written', async () => {
    const queue = queues[0]!;
    const reader = client.consumer.readQueue(queue, { from: 0, group });
    const cpu = process.cpuUsage();
    const start = performance.now();
    const writing = write(queue, MESSAGES);
    let count = 0;
    let answers = 0;
    while (count < MESSAGES) {
      const messages = await reader.next();
      answers += 1;
      for (const message of messages) {
        if (message.queueOffset !== count || message.body.readUInt32BE(0) !== count) {
          throw new Error(`message ${count}: offset ${message.queueOffset}, body ${message.body.readUInt32BE(0)}`);
        }
        count += 1;
      }
    }
    await writing;
    const seconds = (performance.now() - start) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    process.stdout.write(
      `one queue, 100 B, written and read at once: ${Math.round(MESSAGES / seconds)} messages/s, ` +
        `${((user + system) / MESSAGES).toFixed(2)} us CPU per message, ${(count / answers).toFixed(0)} per answer\n`,
    );
    expect(reader.position).toBe(MESSAGES);
    reader.close();
  }, 180_000);

  it('wakes at the head soon after an append', async () => {
    const queue = queues[1]!;
    const reader = client.consumer.readQueue(queue, { from: await client.admin.maxOffset(queue), group });
    const latencies: number[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      const arrival = reader.next().then((messages) => ({ messages, at: performance.now() }));
      // The pull is at the broker once another request of the same connection that came later is answered.
      await client.admin.maxOffset(queue);
      const sentAt = performance.now();
      await client.producer.send(queue, { body: Buffer.from(String(turn)) });
      const { messages, at } = await arrival;
      expect(messages.map((message) => message.body.toString())).toEqual([String(turn)]);
      latencies.push(at - sentAt);
    }
    latencies.sort((a, b) => a - b);
    process.stdout.write(`send to arrival at the head: p50 ${latencies[10]!.toFixed(1)} ms, most ${latencies[19]!.toFixed(1)} ms\n`);
    expect(latencies[10]!).toBeLessThan(1_000);
    reader.close();
  });

  it('does not let a suspended pull delay other requests of the connection', async () => {
    const queue = queues[1]!;
    const offset = await client.admin.maxOffset(queue);
    const abort = new AbortController();
    const suspended = client.consumer.pull({ queue, offset, group, suspendMs: 20_000, signal: abort.signal });
    const ended = expect(suspended).rejects.toMatchObject({ code: 'REQUEST_ABORTED' });
    const start = performance.now();
    for (let turn = 0; turn < 10; turn += 1) expect(await client.admin.maxOffset(queue)).toBe(offset);
    expect(performance.now() - start).toBeLessThan(10_000);
    abort.abort();
    await ended;
  });

  it('ends a suspended reader at once when the client closes', async () => {
    const own = RocketMqClient.open({ namesrv: NAMESRV });
    const queue = queues[1]!;
    const reader = own.consumer.readQueue(queue, { from: await own.admin.maxOffset(queue), group });
    const waiting = expect(reader.next()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
    await own.admin.maxOffset(queue);
    await own.close();
    await waiting;
  });
});
