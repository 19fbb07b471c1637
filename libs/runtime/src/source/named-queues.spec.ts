import { describe, expect, it } from '@jest/globals';
import { queueKey, type NamedQueue } from '@sluice/sdk';
import { parseSourceSettings } from '../config/connector-settings.js';
import { queueByOf } from '../config/loop-settings.js';
import { createConverters } from '../converters/create-converters.js';
import type { ListedRecord } from '../testing/list-source.js';
import { readEverything, readValid } from '../testing/read-valid.js';
import { SourceWorld } from '../testing/source-world.js';
import { convertedQueueKeys, type QueueKeys } from './queue-keys.js';

function keysOf(settings: Readonly<Record<string, string>>): QueueKeys {
  const config = { name: 'c', 'connector.class': 'X', ...settings };
  return convertedQueueKeys(queueByOf(parseSourceSettings(config))!, createConverters(config));
}
const byRecord = keysOf({ 'queue.by': 'record' });

/** Records v0, v1, ... of topic `t` that name these queues. */
function naming(...queues: readonly (NamedQueue | undefined)[]): ListedRecord[] {
  return queues.map((queue, n) => ({ topic: 't', value: `v${n}`, ...(queue === undefined ? {} : { rocketmq: { queue } }) }));
}

const on = (queueId: number, brokerName = 'broker-a'): NamedQueue => ({ brokerName, queueId });

function worldOf(queues: number) {
  const world = new SourceWorld();
  const topic = world.cluster.addTopic('t', queues);
  const found = (): readonly (readonly string[])[] => topic.map((queue) => readEverything(world.cluster.queue(queue)));
  return { world, topic, found };
}

describe('a source whose records name their queues', () => {
  it('has each go there, by broker and number or by place, in order', async () => {
    const { world, found } = worldOf(3);
    const source = world.source({ a: naming(on(2), 1, on(2), 0, 2, on(1)) });
    const { loop, counters } = world.loop(source, { queueKeys: byRecord });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 6);
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
    expect(found()).toEqual([['v3'], ['v1', 'v5'], ['v0', 'v2', 'v4']]);
  });

  it('counts places by the names of brokers, then by number', async () => {
    const { world } = worldOf(2);
    const [far] = world.cluster.addTopic('t', 1, 'broker-0');
    const { loop, counters } = world.loop(world.source({ a: naming(0, 0) }), { queueKeys: byRecord });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 2);
    expect(readEverything(world.cluster.queue(far!))).toEqual(['v0', 'v1']);
    loop.kill();
  });

  it('has those that name none stay in one queue of their partition', async () => {
    const { world, found } = worldOf(4);
    const { loop, counters } = world.loop(world.source({ a: naming(...Array.from({ length: 9 }, () => undefined)) }), {
      queueKeys: byRecord,
    });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 9);
    expect(found().filter(({ length }) => length > 0)).toHaveLength(1);
    loop.kill();
  });

  it('resumes after a crash without loss or duplicates, in the queues that are named', async () => {
    const { world, topic } = worldOf(3);
    const records = naming(...Array.from({ length: 60 }, (_, n) => on(n % 3)));
    let sends = 0;
    world.cluster.fate = () => (++sends % 3 === 0 ? { kind: 'lose-unknown' } : { kind: 'store' });
    const first = world.loop(world.source({ a: records }, 7), { queueKeys: byRecord });
    await first.loop.start();
    await world.clock.until(() => sends > 5);
    first.loop.kill();
    await first.loop.ended;
    world.cluster.fate = () => ({ kind: 'store' });
    const second = world.loop(world.source({ a: records }, 7), { queueKeys: byRecord });
    void second.loop.start();
    const valid = (): readonly (readonly string[])[] => topic.map((queue) => readValid(world.cluster.queue(queue)));
    await world.clock.until(() => valid().flat().length >= 60);
    await second.loop.stop();
    expect(valid()).toEqual([0, 1, 2].map((queueId) => records.filter((_, n) => n % 3 === queueId).map(({ value }) => value)));
  });

  it('uses a queue that is added while it runs, named by broker and number', async () => {
    const { world } = worldOf(1);
    const list = naming(on(0));
    const { loop, counters } = world.loop(world.source({ a: list }), { queueKeys: byRecord });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 1);
    const grown = world.cluster.addTopic('t', 2);
    list.push(...naming(on(1), on(1)));
    await world.clock.until(() => counters.recordsSent === 3);
    expect(readEverything(world.cluster.queue(grown[1]!))).toEqual(['v0', 'v1']);
    loop.kill();
  });

  it.each<readonly [NamedQueue, string, string]>([
    [on(9), 'CONNECT_UNAVAILABLE', 'it names queue {"brokerName":"broker-a","queueId":9}; the topic had 2 queue(s) when the task began'],
    [on(0, 'broker-x'), 'CONNECT_UNAVAILABLE', 'it names queue {"brokerName":"broker-x","queueId":0}; the topic had 2 queue(s)'],
    [2, 'CONNECT_UNAVAILABLE', 'it names queue 2; the topic had 2 queue(s) when the task began, and has no such one now'],
    [-1, 'CONNECT_RECORD_INVALID', 'it names queue -1; expected is a whole number from 0, or brokerName and queueId'],
    [0.5, 'CONNECT_RECORD_INVALID', 'it names queue 0.5; expected is'],
    [on(1, ''), 'CONNECT_RECORD_INVALID', 'it names queue {"brokerName":"","queueId":1}; expected is'],
    ['x' as unknown as number, 'CONNECT_RECORD_INVALID', 'it names queue x; expected is'],
    [null as unknown as number, 'CONNECT_RECORD_INVALID', 'it names queue null; expected is'],
  ])('refuses the queue %j, or leaves the record out', async (named, code, reason) => {
    const { world, found } = worldOf(2);
    const strict = world.loop(world.source({ a: naming(0, named, 1) }), { queueKeys: byRecord });
    await strict.loop.start();
    let end: unknown;
    void strict.loop.ended.then((ended) => (end = ended));
    await world.clock.until(() => end !== undefined);
    expect(end).toMatchObject({
      kind: 'failed',
      error: {
        code,
        message: expect.stringContaining(`Record for topic t of partition {"file":"a"}, before position {"position":2}: ${reason}`),
      },
    });
    const source = world.source({ a: naming(0, named, 1) });
    const tolerant = world.loop(source, { queueKeys: byRecord, settings: { skipsBadRecords: true } });
    void tolerant.loop.start();
    await world.clock.until(() => source.committed.at(-1)?.position['position'] === 3);
    await tolerant.loop.stop();
    expect(tolerant.counters).toMatchObject({ recordsSkipped: 1, conversionErrors: 1 });
    expect(found()).toEqual([['v0'], ['v2']]);
  });

  it.each([undefined, keysOf({ 'queue.by': 'key' })])('is refused by name with another setting of queue.by', async (queueKeys) => {
    const { world } = worldOf(2);
    const { loop } = world.loop(world.source({ a: naming(1) }), queueKeys === undefined ? {} : { queueKeys });
    await loop.start();
    let end: unknown;
    void loop.ended.then((ended) => (end = ended));
    await world.clock.until(() => end !== undefined);
    expect(end).toMatchObject({ error: { message: expect.stringContaining('it names queue 1, which needs queue.by=record') } });
  });

  it('fails where a named queue takes no messages any more', async () => {
    const { world, topic } = worldOf(2);
    const list = naming(on(0), on(1));
    const { loop, counters } = world.loop(world.source({ a: list }), { queueKeys: byRecord });
    await loop.start();
    await world.clock.until(() => counters.recordsSent === 2);
    world.cluster.refuse(topic[1]!);
    list.push(...naming(on(1)));
    let end: unknown;
    void loop.ended.then((ended) => (end = ended));
    await world.clock.until(() => end !== undefined);
    const message = `Queue ${queueKey(topic[1]!)} has taken no messages`;
    expect(end).toMatchObject({ error: { message: expect.stringContaining(message), retriable: true } });
    expect(end).toMatchObject({ error: { message: expect.stringContaining('With queue.by=record a record has one queue') } });
  });
});
