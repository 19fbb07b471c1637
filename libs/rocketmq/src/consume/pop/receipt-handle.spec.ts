import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, MalformedDataError } from '../../errors.js';
import { decodeReceipt, decodeStartOffsets, encodeReceipt, topicOfReceipt } from './receipt-handle.js';

const HANDLE = '5 1700000000000 60000 3 0 broker-a 2 7';

describe('receipt handles', () => {
  it('are written as brokers and proxies write them', () => {
    const receipt = decodeReceipt(HANDLE);
    expect(receipt).toEqual({
      checkPointOffset: 5,
      popTime: 1_700_000_000_000,
      invisibleMs: 60_000,
      reviveQueueId: 3,
      topicKind: '0',
      brokerName: 'broker-a',
      queueId: 2,
      queueOffset: 7,
    });
    expect(encodeReceipt(receipt)).toBe(HANDLE);
    expect(decodeReceipt(`${HANDLE} 12345`)).toEqual(receipt);
  });

  it.each(['', 'x', HANDLE.slice(0, -2), HANDLE.replace(' 0 ', ' 9 '), HANDLE.replace('60000', 'soon')])(
    'refuse other text: %j',
    (handle) => {
      expect(() => decodeReceipt(handle)).toThrow(InvalidArgumentError);
    },
  );

  it('name the topic that the delivery came from', () => {
    const of = (kind: string): string => topicOfReceipt(decodeReceipt(HANDLE.replace(' 0 ', ` ${kind} `)), 't', 'g');
    expect([of('0'), of('1'), of('2')]).toEqual(['t', '%RETRY%g_t', '%RETRY%g+t']);
  });

  it('begin with the offset that the broker noted for the queue', () => {
    expect([...decodeStartOffsets('0 1 40;1 0 7;0 3 0')]).toEqual([
      [1, 40],
      [3, 0],
    ]);
    expect(decodeStartOffsets('').size).toBe(0);
    for (const info of ['0 1', '7 1 2', '0 x 1', ';']) {
      expect(() => decodeStartOffsets(info)).toThrow(MalformedDataError);
    }
  });
});
