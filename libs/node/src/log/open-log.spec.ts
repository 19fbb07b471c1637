import { describe, expect, it } from '@jest/globals';
import { topicsOf, type TopicDefinition } from '@sluice/protocol';
import { TopicNotFoundError, type ClusterInfo, type TopicConfig, type TopicRoute } from '@sluice/rocketmq';
import { openLog, type LogDirectory } from './open-log.js';

const topics = topicsOf('default');
const broker = { brokerName: 'broker-a', readQueues: 1, writeQueues: 1 };

/** Name servers that know these topics and brokers; `configured` is what the brokers themselves say. */
function directory(known: readonly string[], brokers: readonly string[], configured: readonly string[] = known): LogDirectory {
  return {
    routes: {
      get: (topic) =>
        known.includes(topic)
          ? Promise.resolve({ topic, brokers: [broker] } as unknown as TopicRoute)
          : Promise.reject(new TopicNotFoundError(topic)),
    },
    admin: {
      clusterInfo: () =>
        Promise.resolve({
          brokers: brokers.map((brokerName) => ({ brokerName, masterAddress: 'host:10911' })),
        } as unknown as ClusterInfo),
      topicConfig: (topic) => Promise.resolve(new Map(configured.includes(topic) ? [['broker-a', {} as TopicConfig]] : [])),
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
      message: expect.stringContaining(
        'Topic sluice-default-log does not exist. If Connect cluster default has run before, never create it again',
      ) as unknown,
    });
  });

  it('is not known while no broker has registered: whoever asks shall ask again', async () => {
    await expect(openLog(directory([], []), topics, 'default')).rejects.toMatchObject({
      code: 'BROKER_NOT_FOUND',
      retriable: true,
    });
  });

  it('is waited for while the broker that is known to hold it has not registered, though another one has', async () => {
    await expect(openLog(directory([], ['broker-b'], all), topics, 'default', 'broker-a')).rejects.toMatchObject({
      code: 'BROKER_NOT_FOUND',
      retriable: true,
      message: expect.stringContaining('broker broker-a, which holds the log, is not registered') as unknown,
    });
  });

  it('is waited for while the name servers do not route to it, though its broker has it', async () => {
    await expect(openLog(directory([], ['broker-a'], all), topics, 'default', 'broker-a')).rejects.toMatchObject({
      retriable: true,
    });
  });

  it('was wiped where the broker that is known to hold it says that it has none', async () => {
    await expect(openLog(directory([], ['broker-a']), topics, 'default', 'broker-a')).rejects.toMatchObject({
      name: 'ClusterNotInitialisedError',
    });
  });
});
