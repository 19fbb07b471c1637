import { deepEqual, equal, ok } from 'node:assert/strict';
import type { ConnectRecord, Connector, RawRecord, SourceRecord } from '@sluice/sdk';

/** Stands before each value in the body of a raw record: brokers store no empty body. */
const MARK = '=';
const MAX_INT32 = 0x7fff_ffff;
/** What Sluice itself puts on messages, at the beginning of a block or behind another property. */
// eslint-disable-next-line no-control-regex -- a property block separates its parts by them
const OWN_PROPERTY = /(^|\u0002)sluice-[pb]\u0001/;

/** Returns whether a connector moves whole messages. */
export function isRaw({ records }: Connector): boolean {
  return records === 'raw';
}

/** Returns the body that carries a value. */
export function bodyOf(connector: Connector, value: string): string {
  return isRaw(connector) ? `${MARK}${value}` : value;
}

/** Returns the value that a body carries; the body itself where it carries none. */
export function valueIn(connector: Connector, body: string): string {
  return isRaw(connector) && body.startsWith(MARK) ? body.slice(MARK.length) : body;
}

/** Returns the message that carries a value, as a sink gets it. */
export function rawOf(body: string): RawRecord {
  return { body: Buffer.from(body), properties: Buffer.from('own\u0001x\u0002'), flag: 0, sysFlag: 0, bornAt: 1 };
}

/**
 * Returns the text of a record of a source.
 * @throws AssertionError for a record of another kind than the connector says
 */
export function textOf(connector: Connector, record: ConnectRecord): string {
  const { raw, value } = record;
  if (isRaw(connector)) {
    requireRaw(record);
    return valueIn(connector, Buffer.from(raw?.body ?? []).toString('utf8'));
  }
  equal(raw, undefined, 'the connector does not say that its records are raw');
  if (typeof value === 'string') return value;
  ok(value instanceof Uint8Array, 'a text value is a string or its bytes');
  return Buffer.from(value).toString('utf8');
}

function requireRaw({ raw, value, key, headers }: ConnectRecord): void {
  ok(raw !== undefined, 'a record of a raw connector has raw');
  deepEqual([value, key, headers], [null, undefined, undefined], 'a raw record has the value null, no key and no headers');
  const { body, properties, flag, sysFlag, bornAt } = raw;
  ok(body instanceof Uint8Array && properties instanceof Uint8Array, 'body and properties are bytes');
  ok(Number.isInteger(flag) && Math.abs(flag) <= MAX_INT32, `flag is ${flag}`);
  ok(Number.isInteger(sysFlag), `sysFlag is ${sysFlag}`);
  ok(bornAt === undefined || Number.isSafeInteger(bornAt), `bornAt is ${bornAt}`);
  ok(!OWN_PROPERTY.test(Buffer.from(properties).toString('latin1')), 'the properties have a stamp or a barrier of another record');
}

/** Returns the queue that each partition names. @throws AssertionError where one names none, or two */
export function namedQueues(records: readonly SourceRecord[]): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const { topic, partition, rocketmq } of records) {
    const queue = rocketmq?.queue;
    ok(
      typeof queue === 'object' && queue.brokerName !== '' && Number.isSafeInteger(queue.queueId) && queue.queueId >= 0,
      'a raw record names a queue',
    );
    const [key, text] = [JSON.stringify(partition), `${topic}@${queue.brokerName}:${queue.queueId}`];
    equal(named.get(key) ?? text, text, `partition ${key} names two queues`);
    named.set(key, text);
  }
  return named;
}
