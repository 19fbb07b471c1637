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
      return super.messages.map(({ body, properties, flag }) => {
        const counted = Buffer.from(properties);
        counted.toString = (...args) => {
          read.texts++;
          return properties.toString(...args);
        };
        return { body, properties: counted, flag };
      });
    }
  }
  const producer = { ...new FakeCluster().producer, newBatch: () => new CountingBatch(Infinity), giveBack: () => undefined };
  const batch = new PendingBatch({ producer, keepsRecords: true, isKeyed: false }, 0, undefined);
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
      refused.push(batch.refuse()?.message.properties);
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
      while (isRefused()) if (!batch.halve()) refused.push(batch.refuse()?.message.body.toString());
      stored.push(...sent());
    } while (batch.takeRest(queue));
    expect(refused).toEqual(['body 7', 'body 700']);
    expect(stored).toEqual(messagesFrom(1).filter((_, at) => at !== 6 && at !== 699));
    expect(read.lists).toBeGreaterThan(1);
  });
});

describe('a batch of raw records', () => {
  const head = { sysFlag: 0x301, bornAt: 77 };
  const tag = 'qtag1';
  const block = (seq: number, queueTag: string): Buffer =>
    Buffer.from(`k\u0001\u00ff${seq}\u0002sluice-p\u000100000000.00000000.${queueTag}.1.${seq}.5\u0002`, 'latin1');

  /** Returns a batch of four messages, with what is to be sent of it. */
  function rawBatch() {
    const producer = { ...new FakeCluster().producer };
    const batch = new PendingBatch({ producer, keepsRecords: true, isKeyed: false }, 0, head);
    const owner = new PartitionState({ p: 1 }, 'stream');
    for (let seq = 1; seq <= 4; seq++) {
      const record: SourceRecord = { partition: { p: 1 }, position: { position: seq }, topic: 't', value: null };
      batch.add(owner, seq, record, { body: Buffer.from([seq, 255]), properties: block(seq, tag), flag: -seq, head }, false);
    }
    return { batch, producer };
  }

  function requireSent(batch: PendingBatch, seqs: readonly number[], queueTag = tag): void {
    expect((batch.toSend as FakeBatch).head).toEqual(head);
    const sent = seqs.map((seq) => ({ body: Buffer.from([seq, 255]), properties: block(seq, queueTag), flag: -seq }));
    expect(batch.toSend.messages).toEqual(sent);
  }

  it('keeps its head, its flags and every byte, whatever is left out, halved, refused or moved', () => {
    const { batch } = rawBatch();
    requireSent(batch, [1, 2, 3, 4]);
    batch.leaveOut(queue, (_owner, seq) => seq === 1);
    requireSent(batch, [2, 3, 4]);
    batch.rebind('other');
    requireSent(batch, [2, 3, 4], 'other');
    expect(batch.halve()).toBe(true);
    requireSent(batch, [2], 'other');
    const refused = batch.refuse()!.message;
    expect(refused).toMatchObject({ body: Buffer.from([2, 255]), flag: -2, ...head });
    requireSent(batch, [3, 4], 'other');
  });

  it('takes messages with its own head alone, and counts its memory once', () => {
    const { batch } = rawBatch();
    expect([batch.takes({ ...head }), batch.takes({ ...head, bornAt: 78 }), batch.takes(undefined)]).toEqual([true, false, false]);
    expect(batch.heldBytes - batch.payloadBytes).toBe(16 * 1024);
  });
});
