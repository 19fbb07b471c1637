import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type PlannedTopic, planTopics, takenTopics, type TopicChoice } from './plan-topics.js';

const CHOICE: TopicChoice = { names: new Set(), isExcluded: () => false, isRetryIncluded: false, isDlqIncluded: false };

function plan(topics: readonly string[], choice: Partial<TopicChoice>, rename = (topic: string): string => topic): readonly PlannedTopic[] {
  const seen = { topics, sourceServers: new Set(['broker-a']), targetServers: new Set(['broker-b']) };
  return planTopics(seen, { ...CHOICE, ...choice }, rename);
}

function shown(planned: readonly PlannedTopic[]): string[] {
  return planned.map(({ topic, reason, target }) => `${topic} ${reason}${target === undefined ? '' : ` ${target}`}`);
}

describe('planTopics', () => {
  const all = ['orders', 'INST%orders', 'old-orders', '%RETRY%g', '%DLQ%g', 'broker-a', 'TBW102', 'sluice-c-log', 'users'];

  it('lists every topic, with why it is taken or not', () => {
    const planned = plan(all, { isMatch: (topic) => topic.endsWith('orders'), isExcluded: (topic) => topic.startsWith('old-') });
    expect(shown(planned)).toEqual([
      '%DLQ%g dead-letter',
      '%RETRY%g retry',
      'INST%orders matched INST%orders',
      'TBW102 rocketmq',
      'broker-a rocketmq',
      'old-orders excluded',
      'orders matched orders',
      'sluice-c-log sluice',
      'users not-asked-for',
    ]);
    expect(takenTopics(planned)).toEqual(
      new Map([
        ['INST%orders', 'INST%orders'],
        ['orders', 'orders'],
      ]),
    );
  });

  it('takes no system topic that only matches', () => {
    expect(takenTopics(plan(all, { isMatch: () => true })).size).toBe(4);
  });

  it('takes retries and dead letters where they are asked for', () => {
    expect(shown(plan(all, { isRetryIncluded: true })).filter((line) => line.includes('included'))).toEqual(['%RETRY%g included %RETRY%g']);
    expect(shown(plan(all, { isDlqIncluded: true })).filter((line) => line.includes('included'))).toEqual(['%DLQ%g included %DLQ%g']);
    expect(shown(plan(['%DLQ%g'], { isDlqIncluded: true, isExcluded: () => true }))).toEqual(['%DLQ%g excluded']);
  });

  it('takes what is named, and shows what is missing', () => {
    const names = new Set(['users', 'BenchmarkTest', '%RETRY%g', 'absent']);
    expect(shown(plan([...all, 'BenchmarkTest'], { names })).filter((line) => /named|missing/.test(line))).toEqual([
      '%RETRY%g named %RETRY%g',
      'BenchmarkTest named BenchmarkTest',
      'absent missing',
      'users named users',
    ]);
  });

  it.each([
    ['SCHEDULE_TOPIC_XXXX', 'belongs to RocketMQ itself'],
    ['sluice-c-log', 'control topic of Sluice'],
    ['sluice-identity-1', 'says which cluster this is'],
    ['broker-b', 'for the server of that name'],
  ])('refuses %s, though it is named', (topic, problem) => {
    expect(plan([topic], { names: new Set([topic]) })).toEqual([{ topic, reason: 'refused', problem: expect.stringContaining(problem) }]);
  });

  it('refuses a name that RocketMQ cannot have, with both names', () => {
    const planned = plan(['orders'], { isMatch: () => true }, (topic) => `${topic}.eu`);
    expect(planned[0]?.problem).toContain('Topic orders would be copied to orders.eu');
  });

  it('refuses topics that would become one', () => {
    const planned = plan(['a', 'b', 'c'], { isMatch: () => true }, (topic) => (topic === 'c' ? 'c' : 'same'));
    const problem = 'Topics a and b would both be copied to same; allowed is one topic for each';
    expect(planned).toEqual([
      { topic: 'a', reason: 'refused', problem },
      { topic: 'b', reason: 'refused', problem },
      { topic: 'c', reason: 'matched', target: 'c' },
    ]);
  });

  it('takes no two topics to one name, and plans each topic once', () => {
    const topic = fc.constantFrom('a', 'b', 'c', '%RETRY%a', 'TBW102', 'sluice-x', 'd%a');
    fc.assert(
      fc.property(fc.array(topic), fc.array(topic), fc.dictionary(topic, topic), (topics, names, renames) => {
        const planned = plan(topics, { names: new Set(names), isMatch: (name) => name < 'c' }, (name) => renames[name] ?? name);
        expect(planned.map((entry) => entry.topic)).toEqual([...new Set([...topics, ...names])].sort());
        const targets = [...takenTopics(planned).values()];
        expect(new Set(targets).size).toBe(targets.length);
        for (const { reason, target, problem } of planned) {
          expect(target !== undefined).toBe(['named', 'matched', 'included'].includes(reason));
          expect(problem !== undefined).toBe(reason === 'refused');
        }
      }),
    );
  });
});
