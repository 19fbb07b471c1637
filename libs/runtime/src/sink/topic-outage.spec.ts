import { describe, expect, it } from '@jest/globals';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { SinkLoopSettings } from './sink-loop-options.js';
import { SinkWorld } from '../testing/sink-world.js';
import { newSinkStorage, TransactionalSink } from '../testing/transactional-sink.js';

/** Two topics with a queue each on one broker; the second one also has a queue on another broker. */
function twoTopics() {
  const world = new SinkWorld();
  const [one] = world.cluster.addTopic('one', 1, 'broker-a');
  const [two] = world.cluster.addTopic('two', 1, 'broker-a');
  const [far] = world.cluster.addTopic('two', 1, 'broker-b');
  const storage = newSinkStorage();
  return {
    world,
    one: one!,
    two: two!,
    far: far!,
    storage,
    start: (settings: Partial<SinkLoopSettings> = {}) =>
      world.loop(new TransactionalSink(storage, false), {
        settings: { refreshIntervalMs: 4000, ...settings },
        subscription: { topics: { kind: 'names', names: ['one', 'two'] } },
      }),
    committed: (queue: QueueRef) => world.offsets.offsets.get(`g ${queueKey(queue)}`),
  };
}

describe('a sink one of whose topics is unavailable', () => {
  it('commits and takes the queues that other topics have on the same broker', async () => {
    const { world, one, two, start, committed } = twoTopics();
    const { loop, counters } = start();
    await loop.start();
    world.plain(one, 'a');
    world.plain(two, 'b');
    await world.clock.until(() => counters.recordsPut === 2);
    world.offsets.unavailable.add('two');
    await world.clock.until(() => committed(one) === 1, 5000);
    for (let n = 1; n < 5; n++) {
      world.plain(one, `a${n}`);
      await world.clock.until(() => committed(one) === n + 1, 5000);
    }
    expect(committed(two)).toBe(0);
    expect(world.waits.list).toMatchObject([{ call: 'committing offsets of topic two to broker-a' }]);
    world.offsets.unavailable.clear();
    await world.clock.until(() => committed(two) === 1, 5000);
    loop.kill();
  });

  it('opens the queues that other topics have on the same broker', async () => {
    const { world, one, start, committed } = twoTopics();
    world.offsets.unavailable.add('two');
    world.plain(one, 'a');
    const { loop } = start();
    void loop.start();
    await world.clock.until(() => committed(one) === 1, 5000);
    loop.kill();
  });

  it('does not let a new topic wait for the brokers of another one', async () => {
    const { world, one, start, committed } = twoTopics();
    world.offsets.unavailable.add('broker-b');
    const { loop } = start({ offsetReset: 'latest' });
    void loop.start();
    await world.clock.until(() => committed(one) === 0, 5000);
    world.plain(one, 'a');
    await world.clock.until(() => committed(one) === 1, 5000);
    loop.kill();
  });

  it('passes over nothing that came after its start while a new topic waits for its brokers', async () => {
    const { world, two, storage, start, committed } = twoTopics();
    world.plain(two, 'before');
    world.offsets.unavailable.add('broker-b');
    const { loop } = start({ offsetReset: 'latest' });
    let isStarted = false;
    void loop.start().then(() => (isStarted = true));
    await world.clock.until(() => isStarted, 10_000);
    world.plain(two, 'after');
    await world.clock.advance(20_000);
    world.offsets.unavailable.clear();
    await world.clock.until(() => committed(two) === 2, 10_000);
    expect(storage.values).toEqual(['after']);
    loop.kill();
  });
});
