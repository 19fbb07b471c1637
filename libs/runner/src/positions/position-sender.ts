import { callKnownQueue } from '@sluice/node/known-queue';
import { encodePosition, positionsQueueOf, splitWrite, type ClusterTopics, type PositionMessage } from '@sluice/protocol';
import type { RocketMqClient } from '@sluice/rocketmq';
import type { PositionStore, PositionsWrite, SourceTaskId } from '@sluice/runtime';

const SEND_TIMEOUT_MS = 5000;
/** Well below the 4 MiB that a message may have. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

/** Writes to the positions topic. It needs to know nothing of what is stored there. */
export class PositionSender implements Pick<PositionStore, 'write'> {
  constructor(
    private readonly client: Pick<RocketMqClient, 'producer'>,
    private readonly topics: ClusterTopics,
    private readonly brokerName: string,
  ) {}

  async write(task: SourceTaskId, change: PositionsWrite): Promise<void> {
    for (const message of splitWrite(task, change, MAX_MESSAGE_BYTES)) {
      await callKnownQueue(() => this.send(message));
    }
  }

  /** Resolves with the offset of the stored message. */
  async send(message: PositionMessage): Promise<number> {
    const queueId = positionsQueueOf(message.connector, this.topics);
    const queue = { topic: this.topics.positions.name, brokerName: this.brokerName, queueId };
    const { firstOffset } = await this.client.producer.send(queue, { body: encodePosition(message) }, { timeoutMs: SEND_TIMEOUT_MS });
    return firstOffset;
  }
}
