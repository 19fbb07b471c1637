import { encodePosition, idHash, partitionOf } from '@sluice/replication';
import { barrierMessage, encodeStamp, queueTag, SluiceProperty, streamId, taskId } from '@sluice/protocol';
import { BatchEncoder, encodeProperties, type QueueRef, type RocketMqClient } from '@sluice/rocketmq';
import { until } from '../../support/sluice-cluster.js';

const READER_GROUP = 'TOOLS_CONSUMER';

export interface CopierOptions {
  readonly connectorName: string;
  readonly from: { readonly client: RocketMqClient; readonly identity: string };
  readonly to: RocketMqClient;
  readonly source: QueueRef;
  readonly target: QueueRef;
}

/** Copies one queue into one of another cluster, with the stamps that the engine writes. */
export class StampingCopier {
  #generation = 1;
  #seq = 0;
  #next = 0;

  constructor(private readonly options: CopierOptions) {}

  /** Copies all messages before an offset of the source; those that `isLeftOut` names are passed over. */
  async copyUpTo(offset: number, isLeftOut: (sourceOffset: number) => boolean = () => false): Promise<void> {
    const { from, to, source, target } = this.options;
    await until('the source shows the messages', async () => (await from.client.admin.maxOffset(source)) >= offset);
    this.#next = Math.max(this.#next, await from.client.admin.minOffset(source));
    let end = 0;
    while (this.#next < offset) {
      const { messages } = await from.client.consumer.pull({ queue: source, offset: this.#next, group: READER_GROUP });
      const taken = messages.filter(({ queueOffset }) => queueOffset < offset);
      const batch = new BatchEncoder();
      for (const message of taken) {
        this.#next = message.queueOffset + 1;
        if (!isLeftOut(message.queueOffset)) batch.add(message.body, this.#properties(message.properties(), message.storeTimestamp));
      }
      if (batch.count === 0) continue;
      const { firstOffset, count } = await to.producer.sendBatch(target, batch.finish());
      end = firstOffset + count;
    }
    await until('the target shows the copies', async () => (await to.admin.maxOffset(target)) >= end);
  }

  /** Begins as another owner does after an unclean end. */
  async takeOver(): Promise<void> {
    const { connectorName, to, target } = this.options;
    this.#generation += 1;
    const { body, properties } = barrierMessage({ task: taskId(connectorName, 0), generation: this.#generation }, target);
    const batch = new BatchEncoder();
    batch.add(body, properties);
    await to.producer.sendBatch(target, batch.finish());
  }

  #properties(properties: Map<string, string>, storeTime: number): string {
    const { connectorName, from, source, target } = this.options;
    this.#seq += 1;
    properties.set(
      SluiceProperty.stamp,
      encodeStamp(
        {
          task: taskId(connectorName, 0),
          stream: streamId(connectorName, partitionOf(from.identity, source)),
          generation: this.#generation,
          seq: this.#seq,
          position: encodePosition({ offset: this.#next, last: { storeTime, idHash: idHash(properties.get('UNIQ_KEY') ?? '') } }),
        },
        queueTag(target),
      ),
    );
    return encodeProperties(properties);
  }
}
