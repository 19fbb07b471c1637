import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  AuthorizationError,
  FrameTooLargeError,
  MessageUnreadableError,
  OffsetOutOfRangeError,
  type QueueReaderOptions,
  type QueueRef,
  type RocketMqClient,
  type StoredMessage,
} from '@sluice/rocketmq';
import { resolveRpcEndpointOptions } from '../contract/rpc-endpoint-options.js';
import type { InboundMessage, RpcLinkState } from '../contract/rpc-link.port.js';
import { RemotingLink } from './remoting-link.js';

const warnings: string[] = [];
const logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (text: string) => void warnings.push(text),
  error: () => undefined,
};
const options = resolveRpcEndpointOptions({
  node: 'n1',
  topic: 'rpc',
  url: 'rocketmq://namesrv:9876',
  prepareGroup: () => Promise.resolve(),
  logger,
});

function stored(queueOffset: number, more: Partial<StoredMessage> = {}): StoredMessage {
  const properties = new Map([
    ['UNIQ_KEY', `m${queueOffset}`],
    ['TAGS', 'n1'],
  ]);
  const message = { queueOffset, isCompressed: false, isInnerBatch: false, body: Buffer.from('{}'), ...more };
  return { ...message, properties: () => properties } as unknown as StoredMessage;
}

type Answer = readonly StoredMessage[] | Error;

/** Gives its answers one after the other; then it waits at the head of the queue. */
class FakeReader {
  #isFailing = false;
  readonly #ended: Promise<never>;
  #end: (error: Error) => void = () => undefined;
  position: number;
  isClosed = false;

  constructor(
    readonly options: QueueReaderOptions,
    readonly answers: Answer[],
  ) {
    this.position = options.from;
    this.#ended = new Promise((_, reject) => (this.#end = reject));
    this.#ended.catch(() => undefined);
    options.signal?.addEventListener('abort', () => {
      this.close();
    });
  }

  async next(): Promise<readonly StoredMessage[]> {
    const answer = this.answers.shift();
    if (answer instanceof Error) {
      this.#isFailing = !(answer instanceof OffsetOutOfRangeError || answer instanceof MessageUnreadableError);
      throw answer;
    }
    if (this.#isFailing) this.options.onState?.({ kind: 'reading' });
    this.#isFailing = false;
    if (answer === undefined) return this.#ended;
    this.position = (answer.at(-1)?.queueOffset ?? this.position - 1) + 1;
    return answer;
  }

  seek(offset: number): void {
    this.position = offset;
  }

  close(): void {
    this.isClosed = true;
    this.#end(new Error('closed'));
  }
}

class FakeCluster {
  readonly readers: FakeReader[] = [];
  readonly answers: Answer[] = [];
  brokers = ['a'];
  unreachable: string | undefined;
  readonly sends: AbortSignal[] = [];

  readonly client = {
    routes: {
      refresh: () =>
        Promise.resolve({
          topic: 'rpc',
          brokers: this.brokers.map((brokerName) => ({ brokerName, isReadable: true, readQueues: 1 })),
        }),
    },
    admin: {
      maxOffset: (queue: QueueRef) => this.#offset(queue, 100),
      minOffset: (queue: QueueRef) => this.#offset(queue, 7),
    },
    consumer: {
      readQueue: (queue: QueueRef, given: QueueReaderOptions) => {
        const reader = new FakeReader(given, queue.brokerName === 'a' ? this.answers : []);
        this.readers.push(reader);
        return reader;
      },
    },
    topicProducer: () => ({
      send: (_message: unknown, { signal }: { readonly signal: AbortSignal }) => {
        this.sends.push(signal);
        return new Promise<never>(() => undefined);
      },
    }),
    close: () => Promise.resolve(),
  };

  #offset({ brokerName }: QueueRef, offset: number): Promise<number> {
    if (brokerName === this.unreachable) return Promise.reject(new Error(`no way to ${brokerName}`));
    return Promise.resolve(offset);
  }
}

const links: RemotingLink[] = [];
afterEach(async () => {
  jest.useRealTimers();
  warnings.length = 0;
  await Promise.all(links.splice(0).map((link) => link.stop()));
});

async function started(cluster: FakeCluster) {
  const link = new RemotingLink(options, () => cluster.client as unknown as RocketMqClient);
  links.push(link);
  const states: RpcLinkState[] = [];
  const received: InboundMessage[] = [];
  await link.start({ onMessage: (message) => received.push(message), onState: (state) => states.push(state) });
  return { link, states, received };
}

const answer = { request: 'PULL_MESSAGE', address: 'a:1', remark: 'no', responseCode: 1 };
const queue = { topic: 'rpc', brokerName: 'a', queueId: 0 };

describe('RemotingLink', () => {
  it('gives the messages that came with one that cannot be read', async () => {
    jest.useFakeTimers();
    const cluster = new FakeCluster();
    const broken = stored(102, {
      isInnerBatch: true,
      unwrapInnerBatch: () => {
        throw new Error('cut off');
      },
    });
    cluster.answers.push([stored(100), stored(101), broken, stored(103)]);
    const { received } = await started(cluster);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(received.map(({ messageId }) => messageId)).toEqual(['m100', 'm101', 'at offset 102', 'm103']);
    expect(received[2]).toMatchObject({
      body: undefined,
      tag: options.tag,
      problem: expect.stringContaining('cut off'),
    });
  });

  it.each([
    ['whose bytes are malformed', new MessageUnreadableError({ ...queue, queueOffset: 100 }, 'cut off', 107), 107],
    ['that is larger than the client reads', new FrameTooLargeError(2_000, 1_000), 101],
  ])('hands a stored message %s to the endpoint once, and stays ready', async (_what, error, next) => {
    const cluster = new FakeCluster();
    cluster.answers.push(error, [stored(next)]);
    const { received, states } = await started(cluster);
    while (received.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(received).toMatchObject([{ messageId: 'a/0@100', problem: error.message }, { messageId: `m${next}` }]);
    expect(cluster.readers.map(({ position }) => position)).toEqual([next + 1]);
    expect(states).toEqual(['ready']);
  });

  it('is ready again when a refusal is over, without waiting for a message', async () => {
    jest.useFakeTimers();
    const cluster = new FakeCluster();
    cluster.answers.push(new AuthorizationError(answer));
    const { states } = await started(cluster);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(states).toEqual(['ready', 'failed', 'ready']);
  });

  it('stays ready where a queue has lost its end, and says what it passes over', async () => {
    jest.useFakeTimers();
    const cluster = new FakeCluster();
    const range = { offset: 100, nextOffset: 40, minOffset: 0, maxOffset: 40 };
    cluster.answers.push(new OffsetOutOfRangeError(queue, 'beyond-max', range), [stored(40)]);
    const { received, states } = await started(cluster);
    await jest.advanceTimersByTimeAsync(5_000);
    expect([received.map(({ messageId }) => messageId), states]).toEqual([['m40'], ['ready']]);
    expect(warnings.join()).toContain('offset 40');
  });

  it('reads a queue that was out of the route from where it was left', async () => {
    jest.useFakeTimers();
    const cluster = new FakeCluster();
    cluster.brokers = ['a', 'b'];
    cluster.answers.push([stored(100), stored(101)]);
    await started(cluster);
    cluster.brokers = ['b'];
    await jest.advanceTimersByTimeAsync(5_000);
    cluster.brokers = ['a', 'b'];
    await jest.advanceTimersByTimeAsync(5_000);
    expect(cluster.readers.map(({ isClosed, options: { from } }) => [from, isClosed])).toEqual([
      [100, true],
      [100, false],
      [102, false],
    ]);
  });

  it('is not ready while a queue that was added cannot be read, and reads the others', async () => {
    jest.useFakeTimers();
    const cluster = new FakeCluster();
    const { states } = await started(cluster);
    cluster.brokers = ['a', 'b', 'c'];
    cluster.unreachable = 'b';
    await jest.advanceTimersByTimeAsync(5_000);
    expect(cluster.readers).toHaveLength(2);
    expect(states).toEqual(['ready', 'connecting']);
    cluster.unreachable = undefined;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(cluster.readers.map(({ options: { from } }) => from)).toEqual([100, 7, 7]);
    expect(states).toEqual(['ready', 'connecting', 'ready']);
  });

  it('takes a message back that was not sent in time', async () => {
    jest.useFakeTimers();
    const cluster = new FakeCluster();
    const { link } = await started(cluster);
    const sent = expect(link.send({ tag: 'n2', properties: new Map(), body: Buffer.from('{}') }, 1_000)).rejects.toThrow(
      'no answer within 1000 ms',
    );
    await jest.advanceTimersByTimeAsync(1_000);
    await sent;
    expect(cluster.sends.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it('keeps no more than 1,000 messages for another delivery', async () => {
    jest.useFakeTimers();
    const { link } = await started(new FakeCluster());
    const message = {
      messageId: 'm',
      tag: 'n1',
      properties: new Map<string, string>(),
      body: Buffer.from('{}'),
      deliveryAttempt: 1,
      receipt: undefined,
    };
    for (let count = 0; count < 1_000; count += 1) await link.retryLater(message, 60_000);
    await expect(link.retryLater(message, 60_000)).rejects.toMatchObject({ code: 'RPC_OVERLOADED' });
    expect(warnings).toEqual(['Message m is dropped: 1000 messages wait for another delivery already']);
  });
});
