import { describe, expect, it } from '@jest/globals';
import { FIRST_LEVEL, MAX_LEVEL, protocolVersionAt } from '@sluice/core';
import {
  encodeBeat,
  encodeCommand,
  encodeLogEntry,
  encodePosition,
  encodeProbe,
  encodeReportMessage,
  entryDigest,
  PROTOCOL_VERSION,
  WRITTEN_VERSION,
} from '@sluice/protocol';
import { FrameTooLargeError, type PullOptions, type RocketMqClient, type StoredMessage } from '@sluice/rocketmq';
import { decodeLogMessage, LogQueue } from './log-queue.js';

const decoded = (text: string) => {
  const body = Buffer.from(text);
  return decodeLogMessage({ queueOffset: 7, body } as StoredMessage);
};

const entry = { logId: 'l', epoch: 1, claimId: 'c', seq: 1, prevDigest: '', at: 0 };

describe('a message of the log', () => {
  it.each([
    ['of a newer version', '{"v":2,"logId":"l","entry":1}', { logId: 'l', isNewer: true }],
    ['without a field', '{"v":1,"logId":"l"}', { logId: 'l', isNewer: false }],
    ['that is no entry', '{"v":2}', { logId: undefined, isNewer: true }],
    ['that is no JSON', 'noise', { logId: undefined, isNewer: false }],
  ])('%s is returned with what it says of itself', (_, text, says) => {
    const digest = entryDigest(Buffer.from(text));
    expect(decoded(text)).toEqual({ offset: 7, digest, why: expect.any(String), ...says });
  });
});

describe('the version of messages', () => {
  // Where this fails: a newer version needs a newer level, and nodes write it only in a cluster that has this level.
  it('belongs to the feature level of the build', () => {
    expect(protocolVersionAt(MAX_LEVEL)).toBe(PROTOCOL_VERSION);
    expect(protocolVersionAt(FIRST_LEVEL)).toBe(WRITTEN_VERSION);
  });

  it.each([
    ['an entry', encodeLogEntry({ ...entry, event: { kind: 'claimed' } }).body],
    ['a command', encodeCommand({ requestId: 'q', sentAt: 0, from: 'g', kind: 'k' })],
    ['a report', encodeReportMessage({ kind: 'report' }, { nodeId: 'n' }, [])],
    ['a beat', encodeBeat({ nodeId: 'n', incarnation: 'i', reportSeq: 1, sentAt: 0, appliedSeq: 0 })],
    ['a probe', encodeProbe({ nodeId: 'n', incarnation: 'i', sentAt: 0 })],
    ['a position', encodePosition({ kind: 'barrier', connector: 'c', index: 0, generation: 1, asOf: 0, live: [] })],
  ])('is that of the first level in %s', (_, body) => {
    const version = body[0] === 0x7b ? (JSON.parse(body.toString()) as { v: number }).v : body[1];
    expect(version).toBe(protocolVersionAt(FIRST_LEVEL));
  });

  it('is read as it was written at any level before', () => {
    for (let level = FIRST_LEVEL; level <= MAX_LEVEL; level += 1) {
      const text = JSON.stringify({ v: protocolVersionAt(level), ...entry, event: { kind: 'claimed' } });
      expect(decoded(text)).toMatchObject({ entry: { event: { kind: 'claimed' } } });
    }
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
