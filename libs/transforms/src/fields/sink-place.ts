import type { ConnectRecord, SinkRecord } from '@sluice/sdk';

/** Returns the record where it comes from a topic: it is one of a sink. */
export function sinkRecord(record: ConnectRecord & Partial<SinkRecord>): SinkRecord | undefined {
  return record.queue === undefined || record.offset === undefined ? undefined : (record as SinkRecord);
}
