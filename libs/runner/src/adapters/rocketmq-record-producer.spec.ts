import { describe, expect, it } from '@jest/globals';
import {
  BrokerResponseError,
  FlowControlError,
  type RocketMqClient,
  SendOutcomeUnknownError,
  type SendSettlement,
  TopicNotFoundError,
} from '@sluice/rocketmq';
import { RocketMqRecordProducer } from './rocketmq-record-producer.js';

const queue = { topic: 't', brokerName: 'b', queueId: 0 };
const answer = { request: 'SEND_BATCH_MESSAGE', address: 'b', responseCode: 1, remark: 'in-sync replicas not enough' };
const timedOut = new BrokerResponseError(answer, { retriable: true });

function send(error: Error): Promise<unknown> {
  const client = { producer: { sendBatch: () => Promise.reject(error) } };
  const producer = new RocketMqRecordProducer(client as unknown as RocketMqClient, undefined, () => undefined);
  const batch = producer.newBatch();
  batch.add(Buffer.from('x'), Buffer.alloc(0));
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
    const producer = new RocketMqRecordProducer({ routes } as unknown as RocketMqClient, undefined, () => undefined);
    expect((await producer.lookUpQueue(queue)).state).toBe(state);
    expect(asked).toEqual(state === 'writable' ? ['get'] : ['get', 'refresh']);
  });

  it('is unavailable while no name server has its topic', async () => {
    const routes = { get: () => Promise.reject(new TopicNotFoundError('t')) };
    const producer = new RocketMqRecordProducer({ routes } as unknown as RocketMqClient, undefined, () => undefined);
    expect(await producer.lookUpQueue(queue)).toEqual({ state: 'unavailable', writable: [] });
  });
});

describe('the queue of a static topic', () => {
  it('takes a batch that has no offset yet for stored at an unknown place', async () => {
    const client = { producer: { sendBatch: () => Promise.resolve({ status: 'stored', firstOffset: -1, count: 1 }) } };
    const producer = new RocketMqRecordProducer(client as unknown as RocketMqClient, undefined, () => undefined);
    const batch = producer.newBatch();
    batch.add(Buffer.from('x'), Buffer.alloc(0));
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
    const producer = new RocketMqRecordProducer({ routes } as unknown as RocketMqClient, undefined, () => undefined);
    expect(await producer.lookUpQueue(queue)).toMatchObject({ state: 'closed' });
  });
});
