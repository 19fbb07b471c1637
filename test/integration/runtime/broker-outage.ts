import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningCluster } from '@sluice/embedded-rocketmq';
import type { QueueRef } from '@sluice/sdk';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSink } from './data-plane.js';

/** A sink whose flushes wait while they are held up. */
class GatedSink extends LineSink {
  #gate: Promise<void> = Promise.resolve();
  isFlushing = false;

  /** Has flushes wait until the returned function is called. */
  hold(): () => void {
    let open = (): void => undefined;
    this.#gate = new Promise((resolve) => (open = resolve));
    return open;
  }

  override async flush(): Promise<void> {
    this.isFlushing = true;
    await this.#gate;
    this.isFlushing = false;
  }
}

/** What a sink does of whose two brokers one stops. Both run before and after. */
export function describeBrokerOutage(rocketmq: () => RunningCluster): void {
  describe('a sink whose topic is on two real brokers, one of which stops', () => {
    let plane: DataPlane;

    beforeAll(() => {
      plane = new DataPlane(rocketmq().namesrv);
    });
    afterAll(() => plane.close());

    it('commits to the other broker meanwhile, and loses and repeats nothing', async () => {
      const topic = await plane.topic(1);
      const [a, b] = (await plane.queuesOf(topic, 1)) as [QueueRef, QueueRef];
      const send = async (queue: QueueRef, ...values: string[]): Promise<void> => {
        for (const value of values) await plane.client.producer.send(queue, { body: Buffer.from(value) });
      };
      const committed = (queue: QueueRef): Promise<number | undefined> =>
        plane.client.admin.queryOffset(`g-${plane.connector}-${topic}`, queue);
      await send(a, 'a0', 'a1');
      await send(b, 'b0', 'b1');
      const sink = new GatedSink();
      const { loop, log } = await plane.sink(sink, topic);
      await until('all is committed', async () => (await committed(a)) === 2 && (await committed(b)) === 2);

      const release = sink.hold();
      await send(b, 'b2', 'b3');
      await until('records are put and not committed', () => sink.values.length > 4 && sink.isFlushing);
      await rocketmq().brokers[1]?.stop();
      release();
      const failing = `committing offsets of topic ${topic} to broker-b failed`;
      await until('the commit fails', () => log.some((line) => line.includes(failing)));
      for (let n = 2; n < 6; n++) {
        await send(a, `a${n}`);
        await until('the record is put and committed', async () => (await committed(a)) === n + 1, 10_000);
      }
      expect(sink.values.filter((value) => value.startsWith('a'))).toHaveLength(6);

      await rocketmq().brokers[1]?.start();
      await until('the held offset is committed', async () => (await committed(b).catch(() => 0)) === 4, 60_000);
      await send(b, 'b4');
      await until('the queue passes again', async () => (await committed(b)) === 5, 30_000);
      expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
      const next = new LineSink();
      const again = await plane.sink(next, topic);
      await send(a, 'a6');
      await send(b, 'b5');
      await until('the next run has both', () => next.values.length === 2);
      await again.loop.stop();
      expect([...next.values].sort()).toEqual(['a6', 'b5']);
      expect([...sink.values].sort()).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'b0', 'b1', 'b2', 'b3', 'b4']);
    }, 240_000);

    it('resumes with its other topics when somebody deletes one whose offsets are not committed', async () => {
      const [kept, deleted] = [await plane.topic(1), await plane.topic(1)];
      const [queue] = (await plane.queuesOf(kept, 1)) as [QueueRef];
      const [gone] = (await plane.queuesOf(deleted, 1)) as [QueueRef];
      const sink = new GatedSink();
      const { loop, log } = await plane.sink(sink, [kept, deleted]);
      const release = sink.hold();
      await plane.client.producer.send(gone, { body: Buffer.from('deleted') });
      await until('its record is put and not committed', () => sink.values.length === 1 && sink.isFlushing);
      await plane.client.admin.deleteTopic(deleted);
      release();
      const failing = `committing offsets of topic ${deleted} to ${gone.brokerName} failed`;
      await until('the commit fails', () => log.some((line) => line.includes(failing)));
      for (let n = 0; n < 3; n++) {
        await plane.client.producer.send(queue, { body: Buffer.from(`kept ${n}`) });
        const committed = () => plane.client.admin.queryOffset(`g-${plane.connector}-${kept}`, queue);
        await until('the record is put and committed', async () => (await committed()) === n + 1, 10_000);
      }
      await loop.stop();
    }, 120_000);

    it('stops within its limit while a broker is unavailable, and puts what is not committed again', async () => {
      const topic = await plane.topic(1);
      const [a, b] = (await plane.queuesOf(topic, 1)) as [QueueRef, QueueRef];
      const group = `g-${plane.connector}-${topic}`;
      const sink = new GatedSink();
      const { loop } = await plane.sink(sink, topic);
      const release = sink.hold();
      await plane.client.producer.send(a, { body: Buffer.from('a0') });
      await plane.client.producer.send(b, { body: Buffer.from('b0') });
      await until('both are put', () => sink.values.length === 2);
      await rocketmq().brokers[1]?.stop();
      const end = loop.stop();
      release();
      expect(await end).toEqual({ kind: 'stopped', clean: false });
      expect(await plane.client.admin.queryOffset(group, a)).toBe(1);
      await rocketmq().brokers[1]?.start();
      // A sink that starts before the name servers list the queue finds it later.
      await until('the queue is listed', async () => (await plane.client.routes.refresh(topic)).brokers.length === 2);
      const next = new LineSink();
      const again = await plane.sink(next, topic);
      await until('the uncommitted record is put again', () => next.values.length === 1, 60_000);
      await again.loop.stop();
      expect(next.values).toEqual(['b0']);
    }, 240_000);
  });
}
