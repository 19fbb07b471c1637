import { describe, expect, it } from '@jest/globals';
import { MAX_LEVEL, protocolVersionAt } from '@sluice/core';
import { entryDigest, PROTOCOL_VERSION } from '@sluice/protocol';
import type { StoredMessage } from '@sluice/rocketmq';
import { decodeLogMessage } from './log-queue.js';

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
