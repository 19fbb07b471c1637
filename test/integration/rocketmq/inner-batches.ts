import { deflateSync } from 'node:zlib';
import { BatchEncoder, encodeProperties, type QueueRef, type RocketMqClient, SYS_FLAG } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';
import { RemotingAdmin } from '../transport/remoting-admin.js';

const SEND_MESSAGE_V2 = 310;
const SEND_BATCH_MESSAGE = 320;

/** A message of an inner batch, as the specs find it again. */
function bodyAt(offset: number): string {
  return `message ${offset}`;
}

/** A topic of batch queues and a producer that has brokers store a batch as one record, as RocketMQ's Java client does there. */
export class BatchTopic {
  /** Where the next message goes. */
  end = 0;

  private constructor(
    readonly client: RocketMqClient,
    readonly queue: QueueRef,
    private readonly broker: RemotingAdmin,
  ) {}

  static async create(client: RocketMqClient, topic: string): Promise<BatchTopic> {
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1, attributes: { 'queue.type': 'BatchCQ' } });
    const broker = (await client.routes.get(topic)).brokers[0];
    if (broker?.masterAddress === undefined) throw new Error(`topic ${topic} has no broker`);
    const queue = { topic, brokerName: broker.brokerName, queueId: 0 };
    return new BatchTopic(client, queue, RemotingAdmin.open(broker.masterAddress));
  }

  /** Sends messages with the bodies of `bodiesBetween`. A producer that compresses sends their number as a property. */
  async send(count: number, isCompressed = false): Promise<void> {
    const encoder = new BatchEncoder({ maxBytes: 16 * 1024 * 1024 });
    for (let index = 0; index < count; index += 1) encoder.add(Buffer.from(bodyAt(this.end + index)), '');
    const { bytes } = encoder.finish();
    const id: [string, string] = ['UNIQ_KEY', `${this.queue.topic}-${this.end}`];
    const flags = SYS_FLAG.INNER_BATCH | SYS_FLAG.NEED_UNWRAP | SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB;
    const compressed: [string, string][] = [id, ['INNER_NUM', String(count)]];
    if (isCompressed) await this.#send(SEND_MESSAGE_V2, flags, compressed, deflateSync(bytes));
    else await this.#send(SEND_BATCH_MESSAGE, 0, [id], bytes);
    this.end += count;
  }

  /** Waits until all that was sent can be read. */
  async untilStored(): Promise<void> {
    await until(`${this.end} messages are stored`, async () => (await this.client.admin.maxOffset(this.queue)) === this.end);
  }

  close(): void {
    this.broker.close();
  }

  async #send(code: number, sysFlag: number, properties: readonly [string, string][], body: Buffer): Promise<void> {
    const { topic, queueId, brokerName } = this.queue;
    const fields = { a: 'batches', b: topic, c: 'TBW102', d: '1', e: String(queueId), f: String(sysFlag), g: String(Date.now()) };
    const isBatch = String(code === SEND_BATCH_MESSAGE);
    const more = { h: '0', i: encodeProperties(properties), j: '0', k: 'false', m: isBatch, n: brokerName };
    await this.broker.call(code, { ...fields, ...more }, body);
  }
}

/** What the messages from an offset up to another one hold. */
export function bodiesBetween(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => bodyAt(from + index));
}
