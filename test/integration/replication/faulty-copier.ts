import { encodeStamp, queueTag, streamId, taskId } from '@sluice/protocol';
import { encodePosition, idHash, partitionOf, PropertyCopier } from '@sluice/replication';
import type { QueueRef, RocketMqClient, StoredMessage } from '@sluice/rocketmq';

/** One copy that is made: of which offset, and what is wrong with it. */
export interface FaultyCopy {
  readonly offset: number;
  readonly change?: 'body' | 'flag' | 'tag';
}

export interface CopierEnds {
  readonly source: RocketMqClient;
  readonly target: RocketMqClient;
  readonly sourceIdentity: string;
  readonly targetIdentity: string;
}

/** Copies messages as a flow does, one by one, in an order and with faults that a spec chooses. */
export class FaultyCopier {
  readonly #copier: PropertyCopier;
  #seq = 0;

  constructor(
    private readonly ends: CopierEnds,
    private readonly connector: string,
    private readonly from: QueueRef,
    private readonly to: QueueRef,
  ) {
    this.#copier = new PropertyCopier({ source: ends.sourceIdentity, target: ends.targetIdentity, bornTime: 'stamp' });
  }

  /** Leaves out messages as a flow does: its next copy has the next number all the same. */
  async copy(copies: readonly FaultyCopy[]): Promise<void> {
    for (const { offset, change } of copies) {
      const message = await this.#messageAt(offset);
      const copied = this.#copier.copy(message.rawProperties, message.body, message.bornTimestamp);
      if (!('properties' in copied)) continue;
      const text = copied.properties.toString('utf8');
      const stamped = `${change === 'tag' ? text.replace('TAGS\u0001', 'TAGS\u0001not') : text}${this.#stamp(message)}`;
      await this.ends.target.producer.sendEncoded(this.to, {
        body: change === 'body' ? Buffer.from('another') : message.body,
        properties: stamped,
        sysFlag: change === 'body' ? 0 : message.sysFlag,
        flag: change === 'flag' ? message.flag + 1 : message.flag,
      });
    }
  }

  /** Copies those from one offset to the one before another, without faults. */
  async copyAll(from: number, to: number): Promise<void> {
    await this.copy(Array.from({ length: to - from }, (_, index) => ({ offset: from + index })));
  }

  /** Takes a number for a copy that is never sent. */
  skip(count: number): void {
    this.#seq += count;
  }

  async #messageAt(offset: number): Promise<StoredMessage> {
    const { messages } = await this.ends.source.consumer.pull({ queue: this.from, group: 'sluice-%verify', offset, maxMessages: 1 });
    const [message] = messages;
    if (message?.queueOffset !== offset) throw new Error(`no message at offset ${offset}`);
    return message;
  }

  #stamp(message: StoredMessage): string {
    const { queueOffset, storeTimestamp } = message;
    const last = { storeTime: storeTimestamp, idHash: idHash(message.property('UNIQ_KEY') ?? '') };
    const stamp = {
      task: taskId(this.connector, 0),
      stream: streamId(this.connector, partitionOf(this.ends.sourceIdentity, this.from)),
      generation: 1,
      seq: (this.#seq += 1),
      position: encodePosition({ offset: queueOffset + 1, last }),
    };
    return `sluice-p\u0001${encodeStamp(stamp, queueTag(this.to))}\u0002`;
  }
}
