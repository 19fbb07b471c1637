import { describe, expect, it } from '@jest/globals';
import { OffsetOutOfRangeError, type QueueRef, type RocketMqClient, SendOutcomeUnknownError, TopicNotFoundError } from '@sluice/rocketmq';
import { letterMessage, SINK_CONTEXT } from '../testing/letter-message.js';
import type { LetterMessage } from './letter.js';
import { redrive, type RedriveOptions } from './redrive.js';
import { countUndone } from './redrive-progress.js';

const OPTIONS: RedriveOptions = {
  rules: { topic: 'orders-dead', to: undefined, sourceLetters: 'refuse', maxRedrives: 5 },
  filter: { stages: [], classes: [], connectors: [], fromMs: undefined, toMs: undefined },
  limit: Infinity,
  ratePerSecond: Infinity,
  isDryRun: false,
};

const DEAD_QUEUE = { topic: 'orders-dead', brokerName: 'broker-a', queueId: 0 };

type Step = readonly LetterMessage[] | Error;
type Send = (body: string, sends: readonly string[]) => Promise<void>;

/** One queue on one broker, whose reads and sends are scripted. */
function broker(
  steps: Step[],
  to: number,
  send: Send = () => Promise.resolve(),
  committed?: number,
): { client: RocketMqClient; sends: string[]; commits: number[] } {
  const sends: string[] = [];
  const commits: number[] = [];
  const routeOf = (topic: string): object => ({
    topic,
    brokers: [
      {
        brokerName: 'broker-a',
        cluster: 'c',
        masterAddress: 'h:1',
        addresses: new Map([[0, 'h:1']]),
        readQueues: topic === 'orders-dead' ? 1 : topic.includes('positions') ? 0 : 1,
        writeQueues: 1,
        isReadable: true,
        isWritable: true,
      },
    ],
  });
  const reader = {
    position: 0,
    nextMessages: (): Promise<readonly LetterMessage[]> => {
      const step = steps.shift();
      if (step === undefined) throw new Error('nothing is left');
      if (step instanceof Error) return Promise.reject(step);
      reader.position = (step.at(-1)?.queueOffset ?? reader.position - 1) + 1;
      return Promise.resolve(step);
    },
    seek: (offset: number): void => void (reader.position = offset),
    close: (): void => undefined,
  };
  const client = {
    clientId: 'me',
    routes: { refresh: (topic: string) => Promise.resolve(routeOf(topic)), get: (topic: string) => Promise.resolve(routeOf(topic)) },
    admin: {
      minOffset: () => Promise.resolve(0),
      maxOffset: () => Promise.resolve(to),
      queryOffset: () => Promise.resolve(committed),
      updateOffset: (_group: string, _queue: QueueRef, offset: number) => {
        commits.push(offset);
        return Promise.resolve();
      },
      createTopic: () => Promise.resolve(),
      consumerConnections: () => Promise.resolve([{ clientId: 'me', clientAddress: 'h' }]),
    },
    consumer: {
      pull: () => Promise.resolve({}),
      attend: () => undefined,
      readQueue: (_queue: QueueRef, { from }: { from: number }) => Object.assign(reader, { position: from }),
    },
    producer: {
      send: () => Promise.resolve({}),
      sendEncoded: async (_queue: QueueRef, { body }: { body: Buffer }) => {
        sends.push(body.toString());
        await send(body.toString(), sends);
        return {};
      },
    },
  };
  return { client: client as unknown as RocketMqClient, sends, commits };
}

const letter = (offset: number, body = String(offset), key = 'k'): LetterMessage =>
  letterMessage({ ...SINK_CONTEXT, 'sluice-key': key }, { queueOffset: offset, storeTimestamp: 1000 + offset, body: Buffer.from(body) });
const { signal } = new AbortController();

describe('a redrive', () => {
  it('does not end with 0 where retention has taken letters before it could read them', async () => {
    // --rate 1: letters 0 and 1 are sent; meanwhile the broker removes the file with 2 to 99.
    const range = { offset: 2, nextOffset: 100, minOffset: 100, maxOffset: 101 };
    const { client, sends } = broker([[letter(0), letter(1)], new OffsetOutOfRangeError(DEAD_QUEUE, 'removed', range), [letter(100)]], 101);
    const report = await redrive(client, OPTIONS, signal);
    expect(sends).toEqual(['0', '1', '100']);
    expect(report.asText()).toContain('are lost');
    expect(report.exitCode).not.toBe(0);
  });

  it('sends nothing of a key behind a record of that key of which nobody knows whether it is stored', async () => {
    const send: Send = (body, all) => {
      if (body !== 'old' || all.length > 1) return Promise.resolve();
      const error = new Error('gone') as never;
      return Promise.reject(new SendOutcomeUnknownError('send', 'connection-closed', Promise.resolve({ kind: 'unknown', error })));
    };
    const first = broker([[letter(0, 'old'), letter(1, 'new')]], 2, send);
    const report = await redrive(first.client, OPTIONS, signal);
    expect(report.exitCode).toBe(3);
    // The next redrive sends `old` again: behind `new`, for good.
    const second = broker([[letter(0, 'old')]], 1);
    await redrive(second.client, OPTIONS, signal);
    const topic = [...first.sends, ...second.sends];
    expect(topic.lastIndexOf('old')).toBeLessThan(topic.lastIndexOf('new') === -1 ? Infinity : topic.lastIndexOf('new'));
  });

  it('does not report in a dry run that it would send to a topic that does not exist', async () => {
    const { client } = broker([[letter(0)]], 1);
    Object.assign(client.routes, { get: (topic: string) => Promise.reject(new TopicNotFoundError(topic)) });
    const report = await redrive(client, { ...OPTIONS, isDryRun: true }, signal);
    expect(report.exitCode).toBe(3);
  });

  it('commits nothing to a topic that was deleted and created again while it read: new letters would be taken for redriven ones', async () => {
    const range = { offset: 3, nextOffset: 0, minOffset: 0, maxOffset: 2 };
    const first = broker([[letter(0), letter(1), letter(2)], new OffsetOutOfRangeError(DEAD_QUEUE, 'beyond-max', range)], 9);
    const report = await redrive(first.client, OPTIONS, signal);
    expect(report.exitCode).toBe(1);
    // Five new letters later: the offsets that the first one stored for the new topic hide three of them, without a word.
    const fresh = [0, 1, 2, 3, 4].map((offset) => letter(offset, `new ${offset}`));
    const committed = first.commits.at(-1);
    const second = broker([fresh.slice(committed ?? 0)], 5, undefined, committed);
    const again = await redrive(second.client, OPTIONS, signal);
    expect([second.sends, again.exitCode]).toEqual([['new 0', 'new 1', 'new 2', 'new 3', 'new 4'], 0]);
  });

  it('handles letters of its first look alone, however many redriven records become letters meanwhile', async () => {
    const { client, sends } = broker([[letter(0), letter(1), letter(2)]], 2);
    await redrive(client, OPTIONS, signal);
    expect(sends).toEqual(['0', '1']);
  });

  it('stores after a signal what was sent, and nothing more', async () => {
    const stopping = new AbortController();
    const { client, sends, commits } = broker([[letter(0), letter(1)]], 2, () => {
      stopping.abort(new Error('stop'));
      return Promise.resolve();
    });
    const report = await redrive(client, OPTIONS, stopping.signal);
    expect([sends, commits, report.exitCode]).toEqual([['0'], [1], 1]);
  });

  it('stores nothing when it finds at the time of storing that the topic was created again', async () => {
    const { client, sends, commits } = broker([[letter(0), letter(1)]], 9);
    Object.assign(client.producer, {
      sendEncoded: (_queue: QueueRef, { body }: { body: Buffer }) => {
        sends.push(body.toString());
        Object.assign(client.admin, { maxOffset: () => Promise.resolve(2) });
        return Promise.resolve({});
      },
    });
    const report = await redrive(client, { ...OPTIONS, limit: 1 }, signal);
    expect([sends, commits, report.exitCode]).toEqual([['0'], [], 1]);
    expect(report.asText()).toContain('Topic orders-dead was deleted and created again: queue broker-a/0 ended at 9, and ends at 2 now');
  });

  it('counts what retention removed before it started, and counts it once', async () => {
    const first = broker([[letter(6)]], 7, undefined, 2);
    Object.assign(first.client.admin, { minOffset: () => Promise.resolve(6) });
    const report = await redrive(first.client, OPTIONS, signal);
    expect([first.sends, first.commits, report.exitCode]).toEqual([['6'], [7], 3]);
    expect(report.asJson()).toMatchObject({ notSent: { removed: { count: 4, letters: [{ place: 'broker-a/0 offsets 2 to 5' }] } } });
    const second = broker([], 7, undefined, 7);
    expect((await redrive(second.client, OPTIONS, signal)).exitCode).toBe(0);
  });

  it('moves its progress over what retention removed at the end of the queue', async () => {
    const range = { offset: 1, nextOffset: 5, minOffset: 5, maxOffset: 5 };
    const { client, commits } = broker([[letter(0)], new OffsetOutOfRangeError(DEAD_QUEUE, 'removed', range)], 5);
    expect((await redrive(client, OPTIONS, signal)).exitCode).toBe(3);
    expect(commits).toEqual([5]);
  });

  it('holds later letters of a key of which one failed, and sends those of other keys', async () => {
    const send: Send = (body) => (body === 'bad' ? Promise.reject(new Error('too large')) : Promise.resolve());
    const letters = [letter(0, 'bad', 'a'), letter(1, 'next', 'a'), letter(2, 'other', 'b')];
    const { client, sends, commits } = broker([letters], 3, send);
    const report = await redrive(client, OPTIONS, signal);
    expect([sends, commits, report.exitCode]).toEqual([['bad', 'other'], [], 3]);
    expect(report.asJson()).toMatchObject({
      sent: 1,
      notSent: {
        failed: { count: 1, letters: [{ detail: 'too large' }] },
        'behind-another': { count: 1, letters: [{ place: 'broker-a/0 offset 1' }] },
      },
    });
  });

  it.each([true, false])('names a missing target once for all its letters (dry run: %s)', async (isDryRun) => {
    const { client, sends } = broker([Array.from({ length: 30 }, (_, offset) => letter(offset))], 30);
    const lookups = withoutTopics(client);
    const report = await redrive(client, { ...OPTIONS, isDryRun }, signal);
    expect([sends, report.exitCode]).toEqual([[], 3]);
    expect(report.asText().split('\n').slice(1)).toEqual([
      '  NOT SENT: 30 letters that could not be sent; nothing of them was stored',
      '    topic orders does not exist: create it (30 letters)',
    ]);
    expect(lookups.length).toBeLessThanOrEqual(2);
  });

  it('counts letters that fail for --limit', async () => {
    const { client } = broker([[letter(0), letter(1), letter(2), letter(3)]], 4);
    withoutTopics(client);
    const report = await redrive(client, { ...OPTIONS, limit: 2 }, signal);
    expect(report.exitCode).toBe(3);
    expect(report.asJson()).toMatchObject({
      notSent: { failed: { count: 2 } },
      stopped: { by: 'limit', reason: '2 letters were tried, as --limit says' },
    });
  });

  it.each([
    [true, 1, '  STOPPED: 1 letter would be sent, as --limit says'],
    [true, 2, '  STOPPED: 2 letters would be sent, as --limit says'],
    [false, 1, '  STOPPED: 1 letter was sent, as --limit says. Run the command again to continue'],
    [false, 2, '  STOPPED: 2 letters were sent, as --limit says. Run the command again to continue'],
  ])('says that --limit ended it (dry run: %s, limit: %i)', async (isDryRun, limit, line) => {
    const { client } = broker([[letter(0), letter(1), letter(2)]], 3);
    const report = await redrive(client, { ...OPTIONS, isDryRun, limit }, signal);
    expect(report.exitCode).toBe(0);
    expect(report.asText().split('\n').at(-1)).toBe(line);
  });
});

describe('the count of a removed range', () => {
  it.each([
    [[], 10],
    [[[0, 4]], 10],
    [
      [
        [8, 11],
        [3, 5],
      ],
      5,
    ],
    [[[5, 14]], 0],
    [
      [
        [7, 9],
        [7, 9],
        [8, 10],
        [14, 20],
      ],
      5,
    ],
  ] as [readonly [number, number][], number][])('leaves out offsets that entries name: %j', (done, count) => {
    expect(countUndone({ from: 5, to: 15 }, done)).toBe(count);
  });
});

/** Lets no target exist. Returns which were looked up. */
function withoutTopics(client: RocketMqClient): string[] {
  const lookups: string[] = [];
  Object.assign(client.routes, {
    get: (topic: string) => {
      lookups.push(topic);
      return Promise.reject(new TopicNotFoundError(topic));
    },
  });
  return lookups;
}
