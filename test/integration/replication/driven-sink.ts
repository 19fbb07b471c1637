import { connectors } from '@sluice/connector-rocketmq';
import { isBarrierBody, parseBarrier, parseStampCoordinates, queueTag, scanBarrier, scanStamp } from '@sluice/protocol';
import { type LogicalMessage, readableQueues, type RocketMqClient } from '@sluice/rocketmq';
import {
  type AgreedPairs,
  isRetriable,
  queueKey,
  type QueueRef,
  type SinkConnector,
  type SinkPosition,
  type SinkRecord,
  type SinkTask,
  type SplitContext,
  type TaskConfig,
} from '@sluice/sdk';
import { sinkTestContext } from '@sluice/testing';
import { StreamFilter } from '../../../libs/runtime/src/task/stream-filter.js';
import { until } from '../../support/sluice-cluster.js';

export const rocketMqSink = connectors.find(({ name }) => name === 'RocketMQSink') as SinkConnector;

/** Splits the connector as the runtime does. */
export async function splitSink(config: TaskConfig, pairs: AgreedPairs, maxTasks = 1): Promise<readonly TaskConfig[]> {
  for (let attempt = 1; ; attempt++) {
    const context: SplitContext = { connectorName: 'contract', pairs, signal: AbortSignal.timeout(60_000) };
    try {
      return await rocketMqSink.taskConfigs(config, maxTasks, context);
    } catch (error) {
      if (!isRetriable(error) || attempt === 5) throw error;
    }
  }
}

/** Reads all messages of a queue, without what Sluice's readers drop where `isFiltered`. */
export async function readAll(client: RocketMqClient, group: string, queue: QueueRef, isFiltered = true): Promise<LogicalMessage[]> {
  const [from, end] = await Promise.all([client.admin.minOffset(queue), client.admin.maxOffset(queue)]);
  const messages: LogicalMessage[] = [];
  if (from === end) return messages;
  const reader = client.consumer.readQueue(queue, { from, group });
  try {
    for (let next = from; next < end;) {
      for (const message of await reader.nextMessages()) {
        messages.push(message);
        next = message.queueOffset + 1;
      }
    }
  } finally {
    reader.close();
  }
  return isFiltered ? filtered(queue, messages) : messages;
}

function filtered(queue: QueueRef, messages: readonly LogicalMessage[]): LogicalMessage[] {
  const tag = queueTag(queue);
  const filter = new StreamFilter();
  return messages.filter((message) => {
    const { rawProperties, storeTimestamp } = message;
    const stampText = scanStamp(rawProperties);
    if (stampText !== undefined) {
      const stamp = parseStampCoordinates(stampText, tag);
      return stamp === undefined || filter.judge(stamp, storeTimestamp) === 'accept';
    }
    const barrierText = scanBarrier(rawProperties);
    const barrier = barrierText === undefined ? undefined : parseBarrier(barrierText, tag);
    if (barrier !== undefined) filter.barrier(barrier.task, barrier.generation, storeTimestamp);
    return barrierText === undefined || !isBarrierBody(message.body);
  });
}

export async function queuesOf(client: RocketMqClient, topic: string): Promise<readonly QueueRef[]> {
  return readableQueues(await client.routes.refresh(topic));
}

/** A task of the sink that the spec drives in the place of the runtime: reads its queues, and puts what it reads. */
export class DrivenSink {
  readonly warnings: string[] = [];
  readonly seeks: SinkPosition[] = [];
  /** Keys of the queues that the task wants no records of. */
  readonly paused = new Set<string>();
  readonly #task: SinkTask = rocketMqSink.createTask();
  readonly #abort = new AbortController();
  readonly #next = new Map<string, number>();
  #queues: readonly QueueRef[] = [];

  constructor(
    private readonly source: RocketMqClient,
    private readonly group: string,
  ) {}

  /** Starts the task and opens queues. @returns what it answers */
  async start(config: TaskConfig, queues: readonly QueueRef[], generation: number): Promise<readonly SinkPosition[]> {
    const { warnings, seeks, paused } = this;
    await this.#task.start({
      ...sinkTestContext({ config, warnings, seeks, generation, signal: this.#abort.signal }),
      pause: (some) => {
        for (const queue of some) paused.add(queueKey(queue));
      },
      resume: (some) => {
        for (const queue of some) paused.delete(queueKey(queue));
      },
    });
    this.#queues = queues;
    const answers = await this.#task.open(queues);
    for (const { queue, nextOffset } of answers) this.#next.set(queueKey(queue), nextOffset);
    return answers;
  }

  /** Puts what the source has of the queues that take records, up to an offset. Does not wait until it is safe. */
  async put(upTo = Infinity): Promise<void> {
    const records: SinkRecord[] = [];
    for (const { queue, nextOffset } of this.seeks.splice(0)) this.#next.set(queueKey(queue), nextOffset);
    for (const queue of this.#queues) {
      const key = queueKey(queue);
      if (this.paused.has(key)) continue;
      const from = this.#next.get(key) ?? 0;
      for (const message of await readAll(this.source, this.group, queue)) {
        if (message.queueOffset >= from && message.queueOffset < upTo) records.push(recordOf(queue, message));
      }
      const last = records.at(-1);
      if (last?.queue === queue) this.#next.set(key, last.offset + 1);
    }
    await this.#task.put(records, this.#abort.signal);
  }

  /** Flushes once. @returns what is safe, by queue */
  async flush(everything = false): Promise<ReadonlyMap<string, number>> {
    const positions = this.#queues.map((queue) => ({ queue, nextOffset: this.#next.get(queueKey(queue)) ?? 0 }));
    const safe = await this.#task.flush(positions, this.#abort.signal, { everything });
    return new Map((safe ?? positions).map(({ queue, nextOffset }) => [queueKey(queue), nextOffset]));
  }

  async flushAt(positions: readonly SinkPosition[], everything = false): Promise<void> {
    for (const { queue, nextOffset } of positions) this.#next.set(queueKey(queue), nextOffset);
    await this.#task.flush(positions, this.#abort.signal, { everything });
  }

  /** Flushes until queues are safe up to where they were put. */
  async safe(queues = this.#queues): Promise<void> {
    await until('all is safe', async () => {
      const safe = await this.flush();
      return queues.every((queue) => safe.get(queueKey(queue)) === (this.#next.get(queueKey(queue)) ?? 0));
    });
  }

  async tick(): Promise<void> {
    await this.#task.tick?.(this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('The spec stops the task'));
    await this.#task.stop();
  }
}

function recordOf(queue: QueueRef, message: LogicalMessage): SinkRecord {
  const { compressed, rawProperties: properties, flag, bornTimestamp: bornAt, storeTimestamp: storedAt, queueOffset: offset } = message;
  const { body, sysFlag } = compressed ?? { body: message.body, sysFlag: 0 };
  return { topic: queue.topic, value: null, queue, offset, raw: { body, properties, flag, sysFlag, bornAt, storedAt } };
}
