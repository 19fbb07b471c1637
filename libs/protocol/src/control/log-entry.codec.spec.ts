import { describe, expect, it } from '@jest/globals';
import { decodeLogEntry, encodeLogChain, encodeLogEntry, entryDigest } from './log-entry.codec.js';
import { MalformedMessageError } from './malformed-message-error.js';

const golden =
  '{"v":1,"logId":"l","epoch":1,"claimId":"c","seq":5,"prevDigest":"aa","at":1700000000000,"event":{"kind":"lease.renewed"}}';

describe('log entries', () => {
  it('are these bytes', () => {
    const { body, digest } = encodeLogEntry({
      logId: 'l',
      epoch: 1,
      claimId: 'c',
      seq: 5,
      prevDigest: 'aa',
      at: 1_700_000_000_000,
      event: { kind: 'lease.renewed' },
    });
    expect(body.toString()).toBe(golden);
    expect(digest).toBe(entryDigest(Buffer.from(golden)));
    expect(digest).toMatch(/^[0-9a-f]{32}$/);
  });

  it('come back as they were written', () => {
    expect(decodeLogEntry(Buffer.from(golden))).toEqual({
      logId: 'l',
      epoch: 1,
      claimId: 'c',
      seq: 5,
      prevDigest: 'aa',
      at: 1_700_000_000_000,
      event: { kind: 'lease.renewed' },
    });
  });

  it('form a chain of digests', () => {
    const chain = encodeLogChain({ logId: 'l', epoch: 1, claimId: 'c', at: 1 }, { seq: 4, digest: 'aa' }, [
      { kind: 'x' },
      { kind: 'y' },
    ]);
    const entries = chain.map((entry) => decodeLogEntry(entry.body));
    expect(entries.map((entry) => entry.seq)).toEqual([5, 6]);
    expect(entries[0]?.prevDigest).toBe('aa');
    expect(entries[1]?.prevDigest).toBe(chain[0]?.digest);
  });

  it.each([
    ['not json', 'it is not JSON'],
    ['[]', 'its version is undefined'],
    ['{"v":2}', 'its version is 2, this node reads 1'],
    ['{"v":1,"logId":5}', 'its field "logId" is not a string'],
  ])('refuse %s', (text, reason) => {
    expect(() => decodeLogEntry(Buffer.from(text))).toThrow(MalformedMessageError);
    expect(() => decodeLogEntry(Buffer.from(text))).toThrow(reason);
  });
});
