import { describe, expect, it } from '@jest/globals';
import { topicsOf } from '@sluice/protocol';
import { topicProblems, type TopicShape } from './topics-check.js';

const { log, positions } = topicsOf('c');
const where = { brokerName: 'b', clusterId: 'c' };
const onBroker = (...entries: readonly (readonly [string, number])[]): TopicShape =>
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
      /^Topic sluice-c-positions does not exist on broker b: .*sluice init --add-missing --cluster c/,
    ],
    ['too few queues', positions, onBroker(['b', 7]), /has 7 queues to read and 7 to write on broker b, it needs 8/],
    ['a second queue of the log', log, onBroker(['b', 2]), /has 2 queues, on b: it must have exactly one, on broker b/],
    ['the log on two brokers', log, onBroker(['b', 1], ['a', 1]), /has 2 queues, on a, b: it must have exactly one/],
  ])('names %s', (_, topic, queues, problem) => {
    expect(topicProblems([{ topic, queues }], where)).toEqual([expect.stringMatching(problem)]);
  });

  it.each([
    [{ readQueues: 7, writeQueues: 8 }, /has 7 queues to read and 8 to write/],
    [{ readQueues: 8, writeQueues: 7 }, /has 8 queues to read and 7 to write/],
  ])('names too few of either kind: %j', (here, problem) => {
    expect(topicProblems([{ topic: positions, queues: new Map([['b', here]]) }], where)).toEqual([expect.stringMatching(problem)]);
  });
});
