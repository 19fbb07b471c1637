import { describe, expect, it } from '@jest/globals';
import { readAckReply } from './acknowledge.js';

const OK = { code: 20_000, message: 'OK' };
const SEVERAL = { code: 30_000, message: 'MULTIPLE_RESULTS' };
const GONE = { code: 40_013, message: 'handle expired' };

function entry(messageId: string): Parameters<typeof readAckReply>[1][number] {
  return { messageId, delivery: { receiptHandle: `handle-${messageId}`, address: 'proxy:1', receiver: {} } };
}

const read = (status: typeof OK, entries: [string, typeof OK][]): string[] =>
  readAckReply(
    { status, entries: entries.map(([id, own]) => ({ receiptHandle: `handle-${id}`, status: own })) },
    [entry('a'), entry('b')],
    'proxy:1',
    'topic',
  ).map((outcome) => `${outcome.messageId} ${outcome.status}`);

describe('readAckReply', () => {
  it('takes the status of each entry, in any order', () => {
    expect(
      read(SEVERAL, [
        ['b', GONE],
        ['a', OK],
      ]),
    ).toEqual(['a acknowledged', 'b failed']);
  });

  it('does not take "several results" for success', () => {
    expect(read(SEVERAL, [['a', OK]])).toEqual(['a acknowledged', 'b failed']);
  });

  it('falls back on the status of the call', () => {
    expect(read(OK, [])).toEqual(['a acknowledged', 'b acknowledged']);
    expect(read(GONE, [])).toEqual(['a failed', 'b failed']);
  });
});
