import { describe, expect, it } from '@jest/globals';
import type { SourceRecord } from '@sluice/sdk';
import type { BatchMessage } from '../ports/record-producer.port.js';
import { FakeBatch, FakeCluster } from '../testing/fake-cluster.js';
import { PartitionState } from './partition-state.js';
import { PendingBatch } from './pending-batch.js';

const queue = { topic: 't', brokerName: 'broker-a', queueId: 0 };
const COUNT = 1000;

/** Returns a batch whose messages are numbered, with the places of those that were read from its bytes, and those that became text. */
function numbered() {
  const read = { lists: 0, texts: 0 };
  class CountingBatch extends FakeBatch {
    override get messages(): readonly BatchMessage[] {
      read.lists++;
      return super.messages.map(({ body, properties }) => {
        const counted = Buffer.from(properties);
        counted.toString = (...args) => {
          read.texts++;
          return properties.toString(...args);
        };
        return { body, properties: counted };
      });
    }
  }
  const producer = { ...new FakeCluster().producer, newBatch: () => new CountingBatch(Infinity), giveBack: () => undefined };
  const batch = new PendingBatch({ producer, keepsRecords: true, isKeyed: false }, 0);
  const owner = new PartitionState({ p: 1 }, 'stream');
  for (let seq = 1; seq <= COUNT; seq++) {
    const record: SourceRecord = { partition: { p: 1 }, position: { position: seq }, topic: 't', value: null };
    batch.add(owner, seq, record, { body: Buffer.from(`body ${seq}`), properties: `näme\u0001${seq}\u0002` }, false);
  }
  const sent = (): string[] => batch.toSend.messages.map(({ body, properties }) => `${body.toString()} ${properties.toString('utf8')}`);
  return { batch, read, sent };
}

const messagesFrom = (first: number): string[] =>
  Array.from({ length: COUNT + 1 - first }, (_, at) => `body ${at + first} näme\u0001${at + first}\u0002`);

describe('a batch of which a broker refuses records', () => {
  it('finds its messages once, however often it is halved, and makes text only of what is refused', () => {
    const { batch, read, sent } = numbered();
    const refused: (string | undefined)[] = [];
    let halvings = 0;
    for (let round = 0; round < 3; round++) {
      while (batch.halve()) halvings++;
      refused.push(batch.refuse()?.parts.properties);
    }
    expect(refused).toEqual(['näme\u00011\u0002', 'näme\u00012\u0002', 'näme\u00013\u0002']);
    expect(halvings).toBeGreaterThan(20);
    expect(read).toEqual({ lists: 1, texts: 3 });
    expect(sent()).toEqual(messagesFrom(4));
  });

  it('keeps each body beside its properties where halves are stored and others are refused', () => {
    const { batch, read, sent } = numbered();
    const isRefused = (): boolean => batch.toSend.messages.some(({ body }) => ['body 7', 'body 700'].includes(body.toString()));
    const refused: (string | undefined)[] = [];
    const stored: string[] = [];
    do {
      while (isRefused()) if (!batch.halve()) refused.push(batch.refuse()?.parts.body.toString());
      stored.push(...sent());
    } while (batch.takeRest(queue));
    expect(refused).toEqual(['body 7', 'body 700']);
    expect(stored).toEqual(messagesFrom(1).filter((_, at) => at !== 6 && at !== 699));
    expect(read.lists).toBeGreaterThan(1);
  });
});
