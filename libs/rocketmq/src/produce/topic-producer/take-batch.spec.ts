import { describe, expect, it } from '@jest/globals';
import { MessageFifo, type PendingMessage } from './pending-message.js';
import { batchDueAt, isBatchDue, takeBatch } from './take-batch.js';

const limits = { maxBatchMessages: 3, maxBatchBytes: 100, lingerMs: 10 };

function pendingMessage(given: { storedBytes?: number; isSingle?: boolean; isAlone?: boolean; sentAt?: number } = {}): PendingMessage {
  const { storedBytes = 10, isSingle = false, isAlone = false, sentAt = 0 } = given;
  return {
    prepared: {
      body: Buffer.alloc(1),
      properties: '',
      sysFlag: 0,
      storedBytes,
      isSingle,
      isDelayed: false,
      queue: undefined,
      slot: undefined,
      messageId: 'id',
    },
    sentAt,
    flushGroup: { unsettled: 0 },
    receiver: { stored: () => undefined, failed: () => undefined },
    index: 0,
    refusals: 0,
    fifo: undefined,
    isCounted: false,
    isAlone,
    lastError: undefined,
    unlisten: undefined,
  };
}

function fifoOf(...messages: ReturnType<typeof pendingMessage>[]): MessageFifo {
  const fifo = new MessageFifo();
  for (const message of messages) fifo.push(message);
  return fifo;
}

describe('batches', () => {
  it('hold messages from the front, up to the limits', () => {
    const many = Array.from({ length: 5 }, () => pendingMessage({ storedBytes: 10 }));
    const fifo = fifoOf(...many);
    expect(takeBatch(fifo, limits)).toEqual(many.slice(0, 3));
    expect(takeBatch(fifo, limits)).toEqual(many.slice(3));
    expect(takeBatch(fifo, limits)).toEqual([]);
    const large = [60, 40, 1].map((storedBytes) => pendingMessage({ storedBytes }));
    expect(takeBatch(fifoOf(...large), limits)).toEqual(large.slice(0, 2));
  });

  it('of one hold a message that goes alone, and end before one', () => {
    const plain = pendingMessage();
    const single = pendingMessage({ isSingle: true });
    const alone = pendingMessage({ isAlone: true });
    const fifo = fifoOf(plain, single, alone, plain);
    expect(takeBatch(fifo, limits)).toEqual([plain]);
    expect(takeBatch(fifo, limits)).toEqual([single]);
    expect(takeBatch(fifo, limits)).toEqual([alone]);
  });

  it('wait for more until they are full or old enough', () => {
    const young = pendingMessage({ sentAt: 100 });
    const fifo = fifoOf(young);
    expect(batchDueAt(young, fifo, limits)).toBe(110);
    expect([isBatchDue(fifo, limits, 109), isBatchDue(fifo, limits, 110)]).toEqual([false, true]);
    fifo.push(pendingMessage());
    fifo.push(pendingMessage());
    expect(isBatchDue(fifo, limits, 100)).toBe(true);
    expect(isBatchDue(fifoOf(pendingMessage({ sentAt: 100, storedBytes: 100 })), limits, 100)).toBe(true);
    expect(isBatchDue(fifoOf(pendingMessage({ sentAt: 100, isSingle: true })), limits, 100)).toBe(true);
    expect(isBatchDue(new MessageFifo(), limits, 100)).toBe(false);
  });
});

describe('a list of waiting messages', () => {
  it('counts, and skips what was taken back', () => {
    const [a, b, c] = [1, 2, 3].map((storedBytes) => pendingMessage({ storedBytes })) as [never, never, never];
    const fifo = fifoOf(a, b, c);
    expect([fifo.count, fifo.bytes]).toEqual([3, 6]);
    fifo.remove(b);
    expect([fifo.count, fifo.bytes]).toEqual([2, 4]);
    expect([fifo.take(), fifo.take(), fifo.take()]).toEqual([a, c, undefined]);
    expect([fifo.count, fifo.bytes]).toEqual([0, 0]);
  });

  it('puts back before all others, in order', () => {
    const messages = Array.from({ length: 6 }, () => pendingMessage());
    const fifo = fifoOf(...messages);
    const taken = [fifo.take()!, fifo.take()!, fifo.take()!];
    fifo.putBack(taken);
    expect(fifo.count).toBe(6);
    expect(Array.from({ length: 6 }, () => fifo.take())).toEqual(messages);
  });

  it('takes what is picked and keeps the order of both', () => {
    const messages = Array.from({ length: 4 }, (_, index) => pendingMessage({ sentAt: index }));
    const fifo = fifoOf(...messages);
    expect(fifo.takeWhere((message) => message.sentAt % 2 === 1).map((message) => message.sentAt)).toEqual([1, 3]);
    expect([fifo.take()?.sentAt, fifo.take()?.sentAt, fifo.take()]).toEqual([0, 2, undefined]);
  });

  it('stays in order over many messages', () => {
    const fifo = new MessageFifo();
    let next = 0;
    for (let sentAt = 0; sentAt < 5_000; sentAt += 1) {
      fifo.push(pendingMessage({ sentAt }));
      if (sentAt % 3 !== 0) expect(fifo.take()?.sentAt).toBe(next++);
    }
    while (fifo.count > 0) expect(fifo.take()?.sentAt).toBe(next++);
    expect(next).toBe(5_000);
  });
});
