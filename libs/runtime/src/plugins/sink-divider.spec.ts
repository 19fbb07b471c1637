import { describe, expect, it } from '@jest/globals';
import type { QueueRef, TaskConfig } from '@sluice/sdk';
import { parseSinkSettings } from '../config/connector-settings.js';
import { movedIn, subscriptionOf, TASK_COUNT_SETTING } from '../config/loop-settings.js';
import { ownsQueue } from '../sink/queue-division.js';
import { SinkDivider, type SinkDividerOptions } from './sink-divider.js';

/** Single queues, of which the rule gives most to few tasks. */
const names = ['t0', 't1', 't2', 't3', 't4', 't5', 't6', 't7'];
const base = { name: 'c', 'connector.class': 'ListSink', 'topics.regex': 't.*' };

function queueOf(topic: string): QueueRef {
  return { topic, brokerName: 'a', queueId: 0 };
}

function world() {
  const state = { topics: names, present: [] as readonly TaskConfig[], isAway: false };
  const messages: Parameters<Parameters<SinkDividerOptions['inCluster']>[1]>[0] = {
    topics: () => (state.isAway ? Promise.reject(new Error('no name server')) : Promise.resolve([...state.topics, 'sluice-x-log'])),
    queues: (topic) => Promise.resolve([queueOf(topic)]),
  };
  const warnings: string[] = [];
  const asked: TaskConfig[] = [];
  const divider = new SinkDivider({
    inCluster: (config, action) => {
      asked.push(config);
      return action(messages);
    },
    presentTasks: () => state.present,
    warn: (line) => warnings.push(line),
  });
  const split = async (count: number, more: TaskConfig = {}): Promise<readonly TaskConfig[]> => {
    const moved = await divider.settingsOf({ ...base, ...more }, count);
    return (state.present = moved.map((task) => ({ [TASK_COUNT_SETTING]: String(count), ...task })));
  };
  const owner = (topic: string, more: TaskConfig = {}): number =>
    state.present.findIndex((task, index) => {
      const config = { ...base, ...more, ...task };
      return ownsQueue(queueOf(topic), subscriptionOf(parseSinkSettings(config), config, index).share);
    });
  return { state, warnings, asked, split, owner, loads: () => state.topics.map((topic) => owner(topic)).sort() };
}

describe('SinkDivider', () => {
  it.each(['queue', 'topic'])('divides evenly what the topics have now, by %s', async (granularity) => {
    const { split, owner, state } = world();
    const settings = await split(4, { 'task.granularity': granularity });
    const owners = state.topics.map((topic) => owner(topic, { 'task.granularity': granularity })).sort();
    expect(owners).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    // The rule alone is not even: what was moved made it so.
    expect(settings.some((task) => task['sluice.task.moved'] !== undefined)).toBe(true);
  });

  it('moves no topic while others come, and gives these to the tasks with the fewest', async () => {
    const { split, owner, state } = world();
    state.topics = names.slice(0, 4);
    await split(4);
    const before = state.topics.map((topic) => owner(topic));
    state.topics = names;
    await split(4);
    expect(names.slice(0, 4).map((topic) => owner(topic))).toEqual(before);
    expect(names.map((topic) => owner(topic)).sort()).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it('starts from nothing for another number of tasks or another granularity', async () => {
    const { split, loads, state } = world();
    await split(4);
    await split(2);
    expect(loads()).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    const [task] = await split(2, { 'task.granularity': 'topic' });
    for (const each of state.present) for (const unit of movedIn(each, 'topic').taken) expect(names).toContain(unit);
    expect(movedIn(task ?? {}, 'queue')).toEqual({ taken: new Set(), given: new Set() });
  });

  it('keeps what tasks have where the topics cannot be listed, and says so', async () => {
    const { split, state, warnings } = world();
    const before = await split(4);
    state.isAway = true;
    expect(await split(4)).toEqual(before);
    expect(warnings).toEqual([expect.stringContaining('connector c are not divided again: Error: no name server')]);
  });

  it('looks in the cluster that the settings name', async () => {
    const { split, asked } = world();
    await split(2, { 'data.cluster.url': 'rocketmq://b:9876' });
    expect(asked).toEqual([{ ...base, 'data.cluster.url': 'rocketmq://b:9876' }]);
  });

  it('moves nothing for one task', async () => {
    const { split } = world();
    expect(await split(1)).toEqual([{ 'sluice.task.count': '1' }]);
  });

  it.each(['{', '3', '{"granularity":"queue","taken":["a"]}', '{"granularity":"queue","taken":[1],"given":[]}'])(
    'refuses what did not come of a division: %s',
    (text) => {
      expect(() => movedIn({ 'sluice.task.moved': text }, 'queue')).toThrow(`sluice.task.moved is ${text}`);
    },
  );
});
