import { describe, expect, it } from '@jest/globals';
import { idHash } from '@sluice/replication';
import { SYS_FLAG } from '@sluice/rocketmq';
import { isConnectError, type RawRecord, type SinkRecord } from '@sluice/sdk';
import { RecordCopier, type RecordCopy } from './record-copier.js';

const SOURCE = 'sluice-identity-000000000aaaaaaaa';
const TARGET = 'sluice-identity-000000000bbbbbbbb';
const queue = { topic: 't', brokerName: 'b', queueId: 0 };

function recordOf(block: string, more: Partial<RawRecord> = {}): SinkRecord {
  const raw = { body: Buffer.from('body'), properties: Buffer.from(block), flag: 7, sysFlag: 0, bornAt: 1000, storedAt: 2000, ...more };
  return { topic: 't', value: null, queue, offset: 41, raw };
}

const copierOf = (bornTime: 'native' | 'stamp' = 'native'): RecordCopier => new RecordCopier({ source: SOURCE, target: TARGET, bornTime });

describe('the copies of a sink', () => {
  it('have body, flag, compression and properties of the message, and its hop', () => {
    const compression = SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB;
    const record = recordOf('KEYS\u0001k\u0002sluice-p\u0001old\u0002', { sysFlag: compression | 8 });
    const copy = copierOf().copy(record) as RecordCopy;
    expect(copy.body).toBe(record.raw?.body);
    expect(copy).toMatchObject({ flag: 7, sysFlag: compression, bornAt: 1000 });
    expect(copy.properties.toString()).toBe(`KEYS\u0001k\u0002sluice-hops\u0001${SOURCE}\u0002`);
    expect((copierOf('stamp').copy(record) as RecordCopy).bornAt).toBeUndefined();
  });

  it.each([
    ['the id of the producer', 'UNIQ_KEY\u0001ID1\u0002', 'ID1'],
    ['the last one of two', 'UNIQ_KEY\u0001ID1\u0002UNIQ_KEY\u0001ID2\u0002', 'ID2'],
    ['that of no longer name', 'UNIQ_KEY\u0001ID1\u0002X_UNIQ_KEY\u0001ID2\u0002', 'ID1'],
    ['what never changes of a message without one', 'A\u0001b\u0002', '1000/4/4'],
  ])('know the message again by its store time and %s', (_name, block, id) => {
    const { position } = copierOf().copy(recordOf(block)) as RecordCopy;
    expect(position).toEqual({ offset: 42, last: { storeTime: 2000, idHash: idHash(id) } });
  });

  it('leave out what came through the target, and refuse what has no list of clusters that Sluice writes', () => {
    expect(copierOf().copy(recordOf(`sluice-hops\u0001${TARGET}\u0002`))).toBeUndefined();
    const refused = copierOf().copy(recordOf('sluice-hops\u0001?\u0002'));
    expect(isConnectError(refused) && refused.message).toMatch(/cannot be copied: Property sluice-hops/);
  });
});
