import { describe, expect, it } from '@jest/globals';
import { readEverything } from '../testing/read-valid.js';
import { endOf, foreign, held, holdNextSend, regain, resume, succeed } from '../testing/successor.js';
import { onTwoQueues, recordsOf, valuesOf } from '../testing/two-queues.js';

const superseded = (why: string): unknown => ({
  kind: 'failed',
  clean: false,
  error: expect.objectContaining({
    code: 'CONNECT_FENCED',
    message: expect.stringContaining(why) as unknown,
  }) as unknown,
});

describe('a source whose runner had no lease for a while', () => {
  it('resumes where no other runner had its task', async () => {
    const queues = await onTwoQueues();
    const { world, loop, counters, list, first } = queues;
    world.lease.lose();
    list.push(...recordsOf(9).slice(5));
    await world.clock.advance(5000);
    expect(readEverything(first)).toEqual(valuesOf(5));
    regain(queues);
    await world.clock.until(() => counters.recordsSent === 9);
    loop.kill();
    expect(readEverything(first)).toEqual(valuesOf(9));
  });

  it.each([
    ['has sent records', 8],
    ['has only put its barrier', 5],
  ])('sends nothing where a successor that the log has lost %s', async (_case, count) => {
    const queues = await onTwoQueues();
    const { world, list, first } = queues;
    world.lease.lose();
    await succeed(queues, count);
    const written = first.messages.length;
    list.push(...recordsOf(12).slice(5));
    regain(queues);
    expect(await endOf(queues)).toEqual(superseded('from offset 5 on holds generation 2 of the task'));
    expect(first.messages).toHaveLength(written);
    await resume(queues, 12);
    expect(held(first)).toEqual(valuesOf(12));
  });

  it('finds a successor before a send of its own that was stored in the gap', async () => {
    const queues = await onTwoQueues();
    const { world, loop, list, first } = queues;
    const store = holdNextSend(queues);
    list.push(...recordsOf(7).slice(5));
    await world.clock.advance(500);
    world.lease.lose();
    await succeed(queues, 8);
    store();
    await world.clock.advance(1000);
    list.push(...recordsOf(12).slice(7));
    regain(queues);
    expect(await endOf(queues)).toEqual(superseded('holds generation 2'));
    loop.kill();
    await resume(queues, 12);
    expect(held(first)).toEqual(valuesOf(12));
  });

  it('finds a successor though it has looked at the end of the idle queue in the gap', async () => {
    const queues = await onTwoQueues();
    const { world, list, first } = queues;
    world.lease.lose();
    await succeed(queues, 8);
    first.append(foreign(2000), 0);
    await world.clock.advance(30_000);
    list.push(...recordsOf(12).slice(5));
    regain(queues);
    expect(await endOf(queues)).toEqual(superseded('holds generation 2'));
  });

  it('looks into a queue that it has sent to before it sends to one that is new to it', async () => {
    const queues = await onTwoQueues();
    const { world, counters, list } = queues;
    world.cluster.addTopic('u', 1);
    const [v] = world.cluster.addTopic('v', 1);
    world.lease.lose();
    regain(queues);
    list.push({ topic: 'u', value: 'u0' });
    await world.clock.until(() => counters.recordsSent === 6);
    world.lease.lose();
    await succeed(queues, 8, { sent: 6 });
    list.push({ topic: 'v', value: 'v0' });
    regain(queues);
    expect(await endOf(queues)).toEqual(superseded('holds generation 2'));
    expect(world.cluster.queue(v!).messages).toEqual([]);
  });

  it('asks again, and keeps its generation, while no name server says which queues take messages', async () => {
    const queues = await onTwoQueues();
    const { world, counters, list } = queues;
    const [u] = world.cluster.addTopic('u', 1);
    const { lookUpQueue } = world.cluster.producer;
    world.cluster.producer.lookUpQueue = () => Promise.reject(new Error('no name server answers'));
    world.lease.lose();
    regain(queues);
    list.push({ topic: 'u', value: 'u0' });
    await world.clock.advance(5000);
    expect(world.cluster.queue(u!).messages).toEqual([]);
    world.cluster.producer.lookUpQueue = lookUpQueue;
    await world.clock.until(() => counters.recordsSent === 6);
    queues.loop.kill();
  });

  it('needs a new generation where this one has sent nothing, or retention has removed a part of the queue', async () => {
    const fresh = await onTwoQueues();
    fresh.loop.kill();
    const second = fresh.world.loop(fresh.world.source({ a: recordsOf(6) }));
    fresh.world.lease.lose();
    const started = second.loop.start();
    regain(fresh);
    await started;
    expect(await endOf({ ...fresh, loop: second.loop })).toEqual(superseded('no queue that this generation has sent to can show'));

    const cut = await onTwoQueues();
    cut.world.lease.lose();
    cut.first.append(foreign(1), 0);
    cut.first.minOffset = 6;
    cut.list.push(...recordsOf(6).slice(5));
    regain(cut);
    expect(await endOf(cut)).toEqual(superseded('retention has removed a part of queue'));
  });
});
