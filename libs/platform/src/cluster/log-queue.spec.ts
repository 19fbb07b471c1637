import { describe, expect, it } from '@jest/globals';
import { MAX_LEVEL, protocolVersionAt } from '@sluice/core';
import { entryDigest, PROTOCOL_VERSION } from '@sluice/protocol';
import { FrameTooLargeError, type PullOptions, type RocketMqClient, type StoredMessage } from '@sluice/rocketmq';
import { decodeLogMessage, LogQueue } from './log-queue.js';

const decoded = (text: string) => {
  const body = Buffer.from(text);
  return decodeLogMessage({ queueOffset: 7, body } as StoredMessage);
};

describe('a message of the log', () => {
  it.each([
    ['of a newer version', '{"v":2,"logId":"l","entry":1}', { logId: 'l', isNewer: true }],
    ['without a field', '{"v":1,"logId":"l"}', { logId: 'l', isNewer: false }],
    ['that is no entry', '{"v":2}', { logId: undefined, isNewer: true }],
    ['that is no JSON', 'noise', { logId: undefined, isNewer: false }],
  ])('%s is told with what it says of itself', (_, text, says) => {
    const digest = entryDigest(Buffer.from(text));
    expect(decoded(text)).toEqual({ offset: 7, digest, why: expect.any(String), ...says });
  });
});

describe('the version of messages', () => {
  // Where this fails: a newer version needs a newer level, and nodes write it only in a cluster that has this level.
  it('belongs to the feature level of the build', () => {
    expect(protocolVersionAt(MAX_LEVEL)).toBe(PROTOCOL_VERSION);
  });
});

describe('a question about the log', () => {
  const body = Buffer.from('{}');
  const digest = entryDigest(body);

  it('is asked for single messages where the answer with all of them is too long to be read', async () => {
    const asked: (readonly [number, number | undefined])[] = [];
    const pull = ({ offset, maxMessages }: PullOptions) => {
      asked.push([offset, maxMessages]);
      if (maxMessages !== 1) return Promise.reject(new FrameTooLargeError(17 * 1024 * 1024, 16 * 1024 * 1024));
      const messages = [{ queueOffset: offset, body }];
      return Promise.resolve({ kind: 'found', messages, nextOffset: offset + 1, minOffset: 0, maxOffset: 9 });
    };
    const client = { consumer: { pull } } as unknown as RocketMqClient;
    const queue = new LogQueue(client, { topic: 't', brokerName: 'b', queueId: 0 }, 'g');
    const about = [
      { offset: 3, digest },
      { offset: 7, digest },
    ];
    const question = { sentAt: 0, sentElapsedMs: 0, about, nextOffset: 4 };
    const answer = await queue.answer(question, new AbortController().signal);
    expect(answer).toEqual({ found: [digest, digest], bounds: { minOffset: 0, maxOffset: 9 } });
    expect(asked).toEqual([
      [3, 5],
      [3, 1],
      [7, 1],
    ]);
  });
});
