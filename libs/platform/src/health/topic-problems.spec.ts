import { describe, expect, it } from '@jest/globals';
import { topicsOf } from '@sluice/protocol';
import { topicProblems, type TopicQueues } from './topic-problems.js';

const { log, positions } = topicsOf('c');
const where = { brokerName: 'b', clusterId: 'c' };
const onBroker = (...entries: readonly (readonly [string, number])[]): TopicQueues =>
  new Map(entries.map(([broker, queues]) => [broker, { readQueues: queues, writeQueues: queues }]));

describe('topicProblems', () => {
  it('finds none in topics as they are made, nor in more queues than needed', () => {
    const found = [
      { topic: log, queues: onBroker(['b', 1]) },
      { topic: positions, queues: onBroker(['b', 12], ['other', 8]) },
    ];
    expect(topicProblems(found, where)).toEqual([]);
  });

  it.each([
    [
      'a missing topic',
      positions,
      onBroker(['other', 8]),
      /^Topic sluice-c-positions does not exist on broker b: .*sluice init --cluster c/,
    ],
    ['too few queues', positions, onBroker(['b', 7]), /has 7 queues to read and 7 to write on broker b, it needs 8/],
    ['a second queue of the log', log, onBroker(['b', 2]), /has 2 queues, on b: it must have exactly one, on broker b/],
    ['the log on two brokers', log, onBroker(['b', 1], ['a', 1]), /has 2 queues, on a, b: it must have exactly one/],
  ])('names %s', (_, topic, queues, problem) => {
    expect(topicProblems([{ topic, queues }], where)).toEqual([expect.stringMatching(problem)]);
  });
});
