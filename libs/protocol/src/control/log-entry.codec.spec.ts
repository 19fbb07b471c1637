import { describe, expect, it } from '@jest/globals';
import { decodeLogEntry, encodeLogChain, encodeLogEntry, entryDigest } from './log-entry.codec.js';
import { MalformedMessageError } from '../protocol-error.js';

const golden = '{"v":1,"logId":"l","epoch":1,"claimId":"c","seq":5,"prevDigest":"aa","at":1700000000000,"event":{"kind":"lease.renewed"}}';

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

  it.each([
    [{ kind: 'lease.renewed', snapshotAt: 7 }, '{"kind":"lease.renewed","snapshotAt":7}'],
    [{ kind: 'cluster.version', level: 2 }, '{"kind":"cluster.version","level":2}'],
    [
      {
        kind: 'command.applied',
        result: { requestId: 'r', commandOffset: 3, outcome: { status: 'done' } },
        events: [{ kind: 'drain.started', nodeId: 'w' }],
      },
      '{"kind":"command.applied","result":{"requestId":"r","commandOffset":3,"outcome":{"status":"done"}},' +
        '"events":[{"kind":"drain.started","nodeId":"w"}]}',
    ],
    [
      {
        kind: 'pairs.extended',
        connector: 'c',
        pairs: [
          ['orders@a:0', 'orders@b:3'],
          ['straße@a:1', 'straße@b:4'],
        ],
      },
      '{"kind":"pairs.extended","connector":"c","pairs":[["orders@a:0","orders@b:3"],["straße@a:1","straße@b:4"]]}',
    ],
    [
      {
        kind: 'snapshot.chunk',
        snapshotId: 's',
        asOf: { offset: 1, seq: 1, digest: 'aa' },
        index: 0,
        data: [['departed', 'w@1', 5]],
      },
      '{"kind":"snapshot.chunk","snapshotId":"s","asOf":{"offset":1,"seq":1,"digest":"aa"},"index":0,"data":[["departed","w@1",5]]}',
    ],
    [
      {
        kind: 'snapshot.chunk',
        snapshotId: 's',
        asOf: { offset: 1, seq: 1, digest: 'aa' },
        index: 1,
        data: [['pairs', { connector: 'c', pairs: [['k', 'v']] }]],
      },
      '{"kind":"snapshot.chunk","snapshotId":"s","asOf":{"offset":1,"seq":1,"digest":"aa"},"index":1,' +
        '"data":[["pairs",{"connector":"c","pairs":[["k","v"]]}]]}',
    ],
    [
      { kind: 'snapshot.done', snapshotId: 's', asOf: { offset: 1, seq: 1, digest: 'aa' }, chunks: 1, digest: 'ff' },
      '{"kind":"snapshot.done","snapshotId":"s","asOf":{"offset":1,"seq":1,"digest":"aa"},"chunks":1,"digest":"ff"}',
    ],
  ])('with %j are these bytes', (event, text) => {
    const { body } = encodeLogEntry({ logId: 'l', epoch: 1, claimId: 'c', seq: 5, prevDigest: 'aa', at: 1, event });
    expect(body.toString()).toBe(`{"v":1,"logId":"l","epoch":1,"claimId":"c","seq":5,"prevDigest":"aa","at":1,"event":${text}}`);
    expect(decodeLogEntry(body).event).toEqual(event);
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
    const chain = encodeLogChain({ logId: 'l', epoch: 1, claimId: 'c', at: 1 }, { seq: 4, digest: 'aa' }, [{ kind: 'x' }, { kind: 'y' }]);
    const entries = chain.map((entry) => decodeLogEntry(entry.body));
    expect(entries.map((entry) => entry.seq)).toEqual([5, 6]);
    expect(entries[0]?.prevDigest).toBe('aa');
    expect(entries[1]?.prevDigest).toBe(chain[0]?.digest);
  });

  it.each([
    ['not json', 'it is not JSON'],
    ['[]', 'its version is undefined'],
    ['{"v":2}', 'its version is 2, this node reads versions up to 1'],
    ['{"v":1,"logId":5}', 'its field "logId" is not a string'],
  ])('refuse %s', (text, reason) => {
    expect(() => decodeLogEntry(Buffer.from(text))).toThrow(MalformedMessageError);
    expect(() => decodeLogEntry(Buffer.from(text))).toThrow(reason);
  });
});
