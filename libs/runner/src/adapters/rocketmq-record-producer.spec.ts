import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  BrokerResponseError,
  FlowControlError,
  MessageTooLargeError,
  type RocketMqClient,
  SendOutcomeUnknownError,
  type SendResult,
  type SendSettlement,
  TopicNotFoundError,
} from '@sluice/rocketmq';
import type { RecordBatch } from '@sluice/runtime';
import { RocketMqRecordProducer, SpareEncoders } from './rocketmq-record-producer.js';

const queue = { topic: 't', brokerName: 'b', queueId: 0 };
const answer = { request: 'SEND_BATCH_MESSAGE', address: 'b', responseCode: 1, remark: 'in-sync replicas not enough' };
const timedOut = new BrokerResponseError(answer, { retriable: true });

function send(error: Error): Promise<unknown> {
  const client = { producer: { sendBatch: () => Promise.reject(error) } };
  const producer = new RocketMqRecordProducer(client as unknown as RocketMqClient, new SpareEncoders(), undefined, () => undefined);
  const batch = producer.newBatch(1);
  batch.add(Buffer.from('x'), '');
  return producer.send(queue, batch, new AbortController().signal);
}

function unknown(settled: SendSettlement<unknown>): SendOutcomeUnknownError {
  return new SendOutcomeUnknownError('send', 'answer', Promise.resolve(settled), timedOut);
}

describe('a failed send of records', () => {
  it('may be stored unless its error says otherwise', async () => {
    await expect(send(timedOut)).rejects.toMatchObject({ outcome: 'unknown', retriable: true, settled: undefined });
  });

  it.each([
    [new FlowControlError({ ...answer, responseCode: 2 }), true],
    [new BrokerResponseError({ ...answer, responseCode: 13 }, { retriable: false, outcome: 'not-sent' }), false],
    [new TopicNotFoundError('t'), true],
    [new Error('a mistake'), false],
  ])('is not stored after %s', async (error, retriable) => {
    await expect(send(error)).rejects.toMatchObject({ outcome: 'not-stored', retriable });
  });

  it('may be sent again where the queue was refused, which name servers learn later', async () => {
    const refusal = { ...answer, responseCode: 29, remark: 'request queueId[3] is illegal, TopicConfig' };
    const error = new BrokerResponseError(refusal, { retriable: false, outcome: 'not-sent' });
    await expect(send(error)).rejects.toMatchObject({ outcome: 'not-stored', retriable: true });
  });

  it.each([
    [{ kind: 'stored', result: {} }, 'stored'],
    [{ kind: 'failed', error: timedOut }, 'not-stored'],
    [{ kind: 'unknown', error: timedOut }, 'unknown'],
  ] as const)('reports how it ended: %j', async (settlement, expected) => {
    const failure: unknown = await send(unknown(settlement)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ outcome: 'unknown' });
    expect(await (failure as { settled: Promise<string> }).settled).toBe(expected);
  });
});

describe('the memory of a batch', () => {
  const { signal } = new AbortController();
  const body = Buffer.alloc(3 * 1024 * 1024, 'x');
  const stored: SendResult = { status: 'stored', firstOffset: 0, count: 1, messageIds: undefined };
  let memories: ArrayBufferLike[];
  let answers: (SendResult | Error)[];
  let producer: RocketMqRecordProducer;

  beforeEach(() => {
    memories = [];
    answers = [];
    const sendBatch = (_queue: unknown, { bytes }: { readonly bytes: Buffer }): Promise<unknown> => {
      memories.push(bytes.buffer);
      const answer = answers.shift() ?? stored;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    producer = new RocketMqRecordProducer(
      { producer: { sendBatch } } as unknown as RocketMqClient,
      new SpareEncoders(),
      undefined,
      () => undefined,
    );
  });

  const filled = (): RecordBatch => {
    const batch = producer.newBatch(body.length);
    expect(batch).toMatchObject({ count: 0, bytes: 0 });
    expect(batch.add(body, '')).toBe(body.length);
    return batch;
  };
  const sendOne = async (): Promise<void> => {
    const batch = filled();
    await producer.send(queue, batch, signal);
    producer.giveBack(batch);
  };

  it('holds the messages until the batch is given back', async () => {
    const batch = producer.newBatch(0);
    batch.add(Buffer.from('first'), 'näme\u0001välue\u0002');
    batch.add(Buffer.from('second'), '');
    await producer.send(queue, batch, signal);
    expect(batch.messages).toEqual([
      { body: Buffer.from('first'), properties: Buffer.from('näme\u0001välue\u0002'), flag: 0 },
      { body: Buffer.from('second'), properties: Buffer.alloc(0), flag: 0 },
    ]);
    const again = producer.newBatch(0);
    for (const message of batch.messages) again.add(message.body, message.properties);
    expect(again.messages).toEqual(batch.messages);
  });

  it('serves the next one after its acknowledgement', async () => {
    await sendOne();
    await sendOne();
    expect(memories[1]).toBe(memories[0]);
  });

  it('is not used again while a send of unknown outcome may be on its way', async () => {
    answers = [timedOut];
    const batch = filled();
    await expect(producer.send(queue, batch, signal)).rejects.toThrow();
    await producer.send(queue, batch, signal);
    producer.giveBack(batch);
    await sendOne();
    expect(memories[1]).toBe(memories[0]);
    expect(memories[2]).not.toBe(memories[0]);
  });

  it('is not kept of a batch that was never sent, and serves one batch at a time', async () => {
    producer.giveBack(filled());
    const batch = filled();
    await producer.send(queue, batch, signal);
    producer.giveBack(batch);
    producer.giveBack(batch);
    await Promise.all([producer.send(queue, filled(), signal), producer.send(queue, filled(), signal)]);
    expect(memories[1]).toBe(memories[0]);
    expect(memories[2]).not.toBe(memories[0]);
  });

  it('is not taken by a batch that needs little of it, of which many may wait', async () => {
    await sendOne();
    const small = producer.newBatch(1_000);
    small.add(Buffer.from('x'), '');
    await producer.send(queue, small, signal);
    await sendOne();
    expect(memories[1]).not.toBe(memories[0]);
    expect(memories[2]).toBe(memories[0]);
  });

  it('is kept up to a limit', async () => {
    const several = (): RecordBatch[] => Array.from({ length: 6 }, filled);
    const batches = several();
    for (const batch of batches) await producer.send(queue, batch, signal);
    for (const batch of batches) producer.giveBack(batch);
    for (const batch of several()) await producer.send(queue, batch, signal);
    // 16 MiB hold the memory of five such batches.
    expect(memories.slice(6).filter((memory) => memories.slice(0, 6).includes(memory))).toHaveLength(5);
  });
});

describe('a queue that is looked up', () => {
  const broker = { brokerName: 'b', isWritable: true, writeQueues: 1, masterAddress: '127.0.0.1:10911' };

  it.each([
    ['writable', [broker]],
    ['closed', [{ ...broker, isWritable: false }]],
    ['closed', [{ ...broker, writeQueues: 0 }]],
    ['unavailable', [{ ...broker, masterAddress: undefined }]],
    ['unavailable', [{ ...broker, brokerName: 'c' }]],
  ])('is %s by the newest route %j', async (state, brokers) => {
    const asked: string[] = [];
    const old = { topic: 't', brokers: [{ ...broker, isWritable: false }] };
    const routes = {
      get: () => Promise.resolve(asked.push('get') && state === 'writable' ? { topic: 't', brokers } : old),
      refresh: () => Promise.resolve(asked.push('refresh') && { topic: 't', brokers }),
    };
    const producer = new RocketMqRecordProducer({ routes } as unknown as RocketMqClient, new SpareEncoders(), undefined, () => undefined);
    expect((await producer.lookUpQueue(queue)).state).toBe(state);
    expect(asked).toEqual(state === 'writable' ? ['get'] : ['get', 'refresh']);
  });

  it('is unavailable while no name server has its topic', async () => {
    const routes = { get: () => Promise.reject(new TopicNotFoundError('t')) };
    const producer = new RocketMqRecordProducer({ routes } as unknown as RocketMqClient, new SpareEncoders(), undefined, () => undefined);
    expect(await producer.lookUpQueue(queue)).toEqual({ state: 'unavailable', writable: [] });
  });
});

describe('the queues of a topic', () => {
  it('are asked for again where the known route has none that takes messages', async () => {
    const broker = { brokerName: 'a', isReadable: true, readQueues: 1, writeQueues: 1, masterAddress: '127.0.0.1:1' };
    const route = (isWritable: boolean) => ({ topic: 't', brokers: [{ ...broker, isWritable }] });
    const routes = { get: () => Promise.resolve(route(false)), refresh: () => Promise.resolve(route(true)) };
    const producer = new RocketMqRecordProducer({ routes } as unknown as RocketMqClient, new SpareEncoders(), undefined, () => undefined);
    expect(await producer.queues('t')).toEqual([{ topic: 't', brokerName: 'a', queueId: 0 }]);
  });
});

describe('a single message', () => {
  it('is sent as it is, and fails as a batch does', async () => {
    const sent: unknown[] = [];
    const failures: Error[] = [];
    const sendEncoded = (...given: readonly unknown[]): Promise<unknown> => {
      sent.push(given);
      const [failure] = failures;
      return failure === undefined ? Promise.resolve({ status: 'stored', firstOffset: 0, count: 1 }) : Promise.reject(failure);
    };
    const client = { producer: { sendEncoded } } as unknown as RocketMqClient;
    const producer = new RocketMqRecordProducer(client, new SpareEncoders(), undefined, () => undefined);
    const message = { body: Buffer.from('x'), properties: 'a\u0001b\u0002', sysFlag: 1, flag: 2, bornAt: 3 };
    const { signal } = new AbortController();
    await producer.sendMessage(queue, message, signal);
    expect(sent).toEqual([[queue, message, expect.objectContaining({ signal })]]);
    failures.push(new TopicNotFoundError('t'));
    await expect(producer.sendMessage(queue, message, signal)).rejects.toMatchObject({ outcome: 'not-stored', retriable: true });
    failures[0] = new MessageTooLargeError('send', 5_000_000, 4_194_304);
    await expect(producer.sendMessage(queue, message, signal)).rejects.toMatchObject({ outcome: 'not-stored', refusesMessages: true });
  });
});

describe('the queue of a static topic', () => {
  it('takes a batch that has no offset yet for stored at an unknown place', async () => {
    const client = { producer: { sendBatch: () => Promise.resolve({ status: 'stored', firstOffset: -1, count: 1 }) } };
    const producer = new RocketMqRecordProducer(client as unknown as RocketMqClient, new SpareEncoders(), undefined, () => undefined);
    const batch = producer.newBatch(1);
    batch.add(Buffer.from('x'), '');
    const failure: unknown = await producer.send(queue, batch, new AbortController().signal).catch((e: unknown) => e);
    expect(failure).toMatchObject({ outcome: 'unknown', retriable: true });
    expect(await (failure as { settled: Promise<string> }).settled).toBe('stored');
  });

  it('sees that the queue of a static topic has moved to another broker', async () => {
    const broker = { isReadable: true, isWritable: true, readQueues: 1, writeQueues: 1, masterAddress: '127.0.0.1:1' };
    const route = {
      topic: 't',
      brokers: [
        { ...broker, brokerName: 'a', staticQueueIds: [0] },
        { ...broker, brokerName: 'b', staticQueueIds: [] },
      ],
    };
    const routes = { get: () => Promise.resolve(route), refresh: () => Promise.resolve(route) };
    const producer = new RocketMqRecordProducer({ routes } as unknown as RocketMqClient, new SpareEncoders(), undefined, () => undefined);
    expect(await producer.lookUpQueue(queue)).toMatchObject({ state: 'closed' });
  });
});
