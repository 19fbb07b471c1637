import { describe, expect, it } from '@jest/globals';
import { SendFailure } from '../ports/record-producer.port.js';
import type { FakeQueue } from '../testing/fake-cluster.js';
import { endOf, foreign, held, holdNextSend, regain, resume, succeed } from '../testing/successor.js';
import { onTwoQueues, recordsOf, valuesOf, type TwoQueues } from '../testing/two-queues.js';

/** Has the next reader wait until `go`; `isReading` says whether it waits. */
function blockReader({ world }: TwoQueues): { readonly isReading: () => boolean; readonly go: () => void } {
  const { read } = world.cluster.messages;
  let go = (): void => undefined;
  const waiting = new Promise<void>((resolve) => (go = resolve));
  let isReading = false;
  world.cluster.messages.read = (ref, from, signal) => {
    world.cluster.messages.read = read;
    const reader = read(ref, from, signal);
    return {
      next: async () => {
        isReading = true;
        await waiting;
        return reader.next();
      },
      close: () => {
        reader.close();
      },
    };
  };
  return {
    isReading: () => isReading,
    go: () => {
      go();
    },
  };
}

/** Stores one record of the next send, without an answer to the sender. */
function partOfNextSend({ world }: TwoQueues): void {
  world.cluster.fate = () => {
    world.cluster.fate = () => ({ kind: 'store' });
    return { kind: 'part-unknown', count: 1 };
  };
}

const superseded = expect.objectContaining({
  kind: 'failed',
  error: expect.objectContaining({ code: 'CONNECT_FENCED' }) as unknown,
}) as unknown;

/** Gives the source more records, and the lease unless it is back, and expects that it ends without sending any of them to a queue. */
async function expectNothingSent(
  queues: TwoQueues,
  { queue = queues.first, sent = 5, isBack = false }: { queue?: FakeQueue; sent?: number; isBack?: boolean } = {},
): Promise<void> {
  const written = queue.messages.length;
  queues.list.push(...recordsOf(12).slice(sent));
  if (!isBack) regain(queues);
  expect(await endOf(queues)).toEqual(superseded);
  expect(queue.messages).toHaveLength(written);
}

describe('a source after a gap in its lease', () => {
  it('finds a successor though it has looked at the end of the idle queue after the gap', async () => {
    const queues = await onTwoQueues();
    const { world, first } = queues;
    world.lease.lose();
    await succeed(queues, 8);
    first.append(foreign(2000), 0);
    regain(queues);
    await world.clock.advance(30_000);
    await expectNothingSent(queues, { isBack: true });
  });

  it('finds a successor after hours, though the positions were written again meanwhile', async () => {
    const queues = await onTwoQueues();
    const { world } = queues;
    world.lease.lose();
    await succeed(queues, 8);
    regain(queues);
    await world.clock.advance(3_700_000);
    await expectNothingSent(queues, { isBack: true });
  });

  it('finds a successor that came while the source read what the queue has of a send', async () => {
    const queues = await onTwoQueues();
    const { world, list, first } = queues;
    const reading = blockReader(queues);
    partOfNextSend(queues);
    list.push(...recordsOf(12).slice(5));
    await world.clock.until(reading.isReading);
    world.lease.lose();
    await succeed(queues, 8, { sent: 6 });
    const written = first.messages.length;
    regain(queues);
    reading.go();
    expect(await endOf(queues)).toEqual(superseded);
    expect(first.messages).toHaveLength(written);
  });

  it('sends nothing without a lease after it read what the queue has of a send', async () => {
    const queues = await onTwoQueues();
    const { world, list, first } = queues;
    const reading = blockReader(queues);
    partOfNextSend(queues);
    list.push(...recordsOf(9).slice(5));
    await world.clock.until(reading.isReading);
    world.lease.lose();
    const written = first.messages.length;
    reading.go();
    await world.clock.advance(10_000);
    expect(first.messages.length).toBe(written);
  });

  it('finds a successor after a second gap, at whose end the log has the same head as before', async () => {
    const queues = await onTwoQueues();
    const { world, counters, list } = queues;
    world.lease.lose();
    regain(queues);
    list.push(...recordsOf(6).slice(5));
    await world.clock.until(() => counters.recordsSent === 6);
    world.lease.lose();
    await succeed(queues, 9, { sent: 6 });
    await expectNothingSent(queues, { sent: 6 });
  });

  it('asks for a new generation also where its queue is closed and the topic has no other', async () => {
    const queues = await onTwoQueues();
    const { world, list, first, other, stop } = queues;
    world.lease.lose();
    await succeed(queues, 8);
    stop(first, 'closed');
    stop(other, 'closed');
    list.push(...recordsOf(12).slice(5));
    regain(queues);
    expect(await endOf(queues, 600_000)).toEqual(superseded);
  });

  it('finds a successor whose barrier the closed queue refused', async () => {
    const queues = await onTwoQueues();
    const { world, first, other, stop } = queues;
    world.lease.lose();
    stop(first, 'refusing');
    await succeed(queues, 8);
    expect(held(other)).toEqual(valuesOf(8, 5));
    await expectNothingSent(queues, { queue: other });
  });

  it('commits nothing that was stored behind the barrier of a successor', async () => {
    const queues = await onTwoQueues();
    const { world, loop, counters, list, first } = queues;
    const store = holdNextSend(queues);
    list.push(...recordsOf(7).slice(5));
    await world.clock.advance(500);
    world.lease.lose();
    await succeed(queues, 5);
    store();
    await world.clock.advance(1000);
    regain(queues);
    const end = await endOf(queues);
    loop.kill();
    expect({ end, sent: counters.recordsSent, valid: held(first) }).toEqual({
      end: superseded,
      sent: 5,
      valid: valuesOf(5),
    });
  });

  it('asks for a new generation where the queue has lost its end, and with that a barrier of a successor', async () => {
    const queues = await onTwoQueues();
    const { world, first } = queues;
    world.lease.lose();
    first.messages.length = 2;
    await succeed(queues, 6);
    expect(first.messages.length).toBeLessThanOrEqual(5);
    await expectNothingSent(queues);
  });

  it('sends to a queue that is new to it while one of two that it has sent to is unavailable', async () => {
    const queues = await onTwoQueues();
    const { world, counters, list, first, stop } = queues;
    world.cluster.addTopic('u', 1, 'broker-c');
    world.cluster.addTopic('v', 1, 'broker-c');
    list.push({ topic: 'u', value: 'u0' });
    await world.clock.until(() => counters.recordsSent === 6);
    await world.clock.advance(2000);
    world.lease.lose();
    stop(first, 'unavailable');
    list.push({ topic: 'v', value: 'v0' });
    regain(queues);
    await world.clock.advance(2_000_000);
    expect(counters.recordsSent).toBe(7);
  });

  it('reads no message twice, though more gaps follow', async () => {
    const queues = await onTwoQueues();
    const { world, list, first } = queues;
    const { read } = world.cluster.messages;
    const froms: number[] = [];
    world.cluster.messages.read = (ref, from, signal) => {
      froms.push(from);
      const reader = read(ref, from, signal);
      return {
        next: async () => {
          const messages = await reader.next();
          // Each look ends in another gap.
          if (froms.length < 10 && messages.some(({ queueOffset }) => queueOffset === first.endOffset - 1)) {
            world.lease.lose();
            regain(queues);
          }
          return messages;
        },
        close: () => {
          reader.close();
        },
      };
    };
    world.lease.lose();
    first.append(foreign(2000), 0);
    regain(queues);
    list.push(...recordsOf(6).slice(5));
    await world.clock.advance(10_000);
    expect(froms.filter((from) => from === 5)).toHaveLength(1);
  });
});

describe('a source whose log has lost a successor and the positions of that', () => {
  it('loses no record that was stored behind the barrier of the successor', async () => {
    const queues = await onTwoQueues();
    const { world, loop, list, first } = queues;
    const store = holdNextSend(queues);
    list.push(...recordsOf(7).slice(5));
    await world.clock.advance(500);
    world.lease.lose();
    await succeed(queues, 5, { losesPositions: true });
    store();
    await world.clock.advance(1000);
    regain(queues);
    await world.clock.advance(60_000);
    loop.kill();
    await resume(queues, 9);
    expect(held(first)).toEqual(valuesOf(9));
  });

  it('loses no record of a send that the client found stored later', async () => {
    const queues = await onTwoQueues();
    const { world, loop, list, first } = queues;
    const { send } = world.cluster.producer;
    let store: () => void = () => undefined;
    const stored = new Promise<void>((resolve) => (store = resolve));
    world.cluster.producer.send = async (queue, batch, signal) => {
      world.cluster.producer.send = send;
      await Promise.resolve();
      const settled = stored.then(() => send(queue, batch, signal)).then(() => 'stored' as const);
      throw new SendFailure('reply lost', { outcome: 'unknown', retriable: true, settled });
    };
    list.push(...recordsOf(7).slice(5));
    await world.clock.advance(500);
    world.lease.lose();
    await succeed(queues, 5, { losesPositions: true });
    store();
    await world.clock.advance(1000);
    regain(queues);
    await world.clock.advance(60_000);
    loop.kill();
    await resume(queues, 9);
    expect(held(first)).toEqual(valuesOf(9));
  });
});

describe('a source whose queue was cut or created again in a gap, and has grown since', () => {
  it('asks for a new generation where the queue lost its end', async () => {
    const queues = await onTwoQueues();
    const { world, first } = queues;
    world.lease.lose();
    first.messages.length = 2;
    await succeed(queues, 6);
    first.append(foreign(10), 0);
    await expectNothingSent(queues);
  });

  it('asks for a new generation where the queue was created again', async () => {
    const queues = await onTwoQueues();
    const { world, first } = queues;
    world.lease.lose();
    first.clear();
    await succeed(queues, 8);
    first.append(foreign(10), 0);
    await expectNothingSent(queues);
  });

  it.each(['lost its end', 'was created again'])('loses nothing where the queue %s', async (how) => {
    const queues = await onTwoQueues();
    const { world, loop, list, first } = queues;
    world.lease.lose();
    if (how === 'lost its end') first.messages.length = 2;
    else first.clear();
    await succeed(queues, 6, { losesPositions: true });
    first.append(foreign(10), 0);
    list.push(...recordsOf(12).slice(5));
    regain(queues);
    await endOf(queues);
    loop.kill();
    await resume(queues, 12);
    // What the broker itself lost was sent before.
    expect(held(first)).toEqual(expect.arrayContaining(valuesOf(12, 5)));
  });
});
