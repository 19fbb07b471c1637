import { describe, expect, it } from '@jest/globals';
import type { RawMessage } from '../ports/queue-messages.port.js';
import { newTaskCounters } from '../ports/task-counters.port.js';
import { AheadBudget, ReadAhead } from './read-ahead.js';

const messages = (count: number): RawMessage[] =>
  Array.from({ length: count }, (_, queueOffset) => ({
    queueOffset,
    body: Buffer.alloc(10),
    bodyBytes: 10,
    rawProperties: Buffer.alloc(0),
    propertiesBytes: 0,
    bornTimestamp: 0,
    storeTimestamp: 0,
  }));

const counters = newTaskCounters();
const sizes = { bytesOf: ({ bodyBytes, propertiesBytes }: RawMessage): number => bodyBytes + propertiesBytes };

const wide = { maxBytes: 1e9, maxRecords: 1e9 };

async function hasRoom(ahead: ReadAhead): Promise<boolean> {
  const stop = new AbortController();
  const room = ahead.room(stop.signal).then(
    () => true,
    () => false,
  );
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  return room;
}

describe('what is read ahead', () => {
  it.each([
    ['records of the queue', { maxBytes: 1e9, maxRecords: 5 }, wide],
    ['bytes of the queue', { maxBytes: 50, maxRecords: 1e9 }, wide],
    ['records of all queues', wide, { maxBytes: 1e9, maxRecords: 5 }],
    ['bytes of all queues', wide, { maxBytes: 50, maxRecords: 1e9 }],
  ])('is bounded by the %s', async (_, perQueue, ofTask) => {
    const ahead = new ReadAhead(new AheadBudget(perQueue, new AheadBudget(ofTask)), counters, sizes);
    ahead.add(messages(4));
    expect(await hasRoom(ahead)).toBe(true);
    ahead.add(messages(1));
    expect(await hasRoom(ahead)).toBe(false);
    for (let n = 0; n < 4; n++) ahead.take();
    expect(await hasRoom(ahead)).toBe(true);
  });

  it('is counted until it is taken, in whole answers, or dropped', () => {
    const counted = newTaskCounters();
    const ahead = new ReadAhead(new AheadBudget(wide), counted, sizes);
    ahead.add(messages(4));
    ahead.add(messages(3));
    expect(counted).toMatchObject({ bufferedRecords: 7, bufferedBytes: 70 });
    for (let n = 0; n < 4; n++) ahead.take();
    expect(counted).toMatchObject({ bufferedRecords: 3, bufferedBytes: 30 });
    ahead.close();
    expect(counted).toMatchObject({ bufferedRecords: 0, bufferedBytes: 0 });
  });

  it('shares one budget with what the reader has asked its broker for', async () => {
    const task = new AheadBudget({ maxBytes: 100, maxRecords: 1e9 });
    const ahead = new ReadAhead(new AheadBudget(wide, task), counters, sizes);
    ahead.budget.add(80, 8);
    ahead.add(messages(2));
    expect(await hasRoom(ahead)).toBe(false);
    ahead.budget.add(-80, -8);
    expect(await hasRoom(ahead)).toBe(true);
    expect(task.hasRoom(79, 0)).toBe(true);
    expect(task.hasRoom(80, 0)).toBe(false);
  });

  it('holds an equal part of the budget of all queues, and one answer at least, whatever other queues hold', async () => {
    const task = new AheadBudget({ maxBytes: 100, maxRecords: 1e9 });
    const held = new ReadAhead(new AheadBudget(wide, task), counters, sizes);
    held.add(messages(20));
    const other = new ReadAhead(new AheadBudget(wide, task), counters, sizes);
    expect(await hasRoom(other)).toBe(true);
    other.add(messages(4));
    expect(await hasRoom(other)).toBe(true);
    other.add(messages(1));
    expect(await hasRoom(other)).toBe(false);
    const third = new ReadAhead(new AheadBudget(wide, task), counters, sizes);
    third.add(messages(4));
    expect(await hasRoom(third)).toBe(false);
    third.close();
    held.close();
    expect(await hasRoom(other)).toBe(true);
  });
});
