import { describe, expect, it } from '@jest/globals';
import { topicsOf, type TopicDefinition } from '@sluice/protocol';
import { TopicNotFoundError, type ClusterInfo, type TopicRoute } from '@sluice/rocketmq';
import { openLog, type LogDirectory } from './open-log.js';

const topics = topicsOf('default');
const broker = { brokerName: 'broker-a', readQueues: 1, writeQueues: 1 };

/** Name servers that know these topics and brokers. */
function directory(known: readonly string[], brokers: readonly string[]): LogDirectory {
  return {
    routes: {
      get: (topic) =>
        known.includes(topic)
          ? Promise.resolve({ topic, brokers: [broker] } as unknown as TopicRoute)
          : Promise.reject(new TopicNotFoundError(topic)),
    },
    admin: {
      clusterInfo: () =>
        Promise.resolve({ brokers: brokers.map((brokerName) => ({ brokerName })) } as unknown as ClusterInfo),
    },
  };
}

describe('where the log is', () => {
  const all = (Object.values(topics) as TopicDefinition[]).map(({ name }) => name);

  it('is on one queue of one broker', async () => {
    const queue = await openLog(directory(all, ['broker-a']), topics, 'default');
    expect(queue).toEqual({
      topic: topics.log.name,
      brokerName: 'broker-a',
      queueId: 0,
    });
  });

  it('is nowhere where a broker has registered without it', async () => {
    await expect(openLog(directory([], ['broker-a']), topics, 'default')).rejects.toMatchObject({
      name: 'ClusterNotInitialisedError',
      message: expect.stringContaining('Topic sluice-default-log does not exist. Run `sluice init') as unknown,
    });
  });

  it('is not known while no broker has registered: whoever asks shall ask again', async () => {
    await expect(openLog(directory([], []), topics, 'default')).rejects.toMatchObject({
      code: 'BROKER_NOT_FOUND',
      retriable: true,
    });
  });
});
