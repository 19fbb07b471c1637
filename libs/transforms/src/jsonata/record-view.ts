import { isDeepStrictEqual } from 'node:util';
import { type ConnectRecord, type ConnectObject, type ConnectValue, isConnectObject, type RecordHeader } from '@sluice/sdk';
import { KEY, VALUE } from '../fields/record-part.js';
import { sinkRecord } from '../fields/sink-place.js';
import { kindOf } from '../fields/structured-value.js';
import { routed } from '../fields/topic-routing.js';
import { unfit } from '../fields/transform-error.js';
import { fromPlain, type PlainBudget, toPlain } from './plain-values.js';

/** What a result for the whole record may have. */
const PARTS = ['topic', 'key', 'value', 'headers', 'timestamp', 'tag'] as const;

/** Returns a record as JSONata sees it. */
export function viewOf(record: ConnectRecord): object {
  return {
    topic: record.topic,
    key: toPlain(record.key ?? null),
    value: toPlain(record.value),
    headers: (record.headers ?? []).map(({ key, value }) => ({ key, value: toPlain(value) })),
    timestamp: record.timestamp ?? null,
    tag: record.rocketmq?.tag ?? null,
    ...placeOf(record),
  };
}

/** What only records of a sink have. A result may have it too, unchanged: it is what `$merge([$, …])` gives. */
function placeOf(record: ConnectRecord): ConnectObject {
  const sink = sinkRecord(record);
  return sink === undefined ? {} : { queue: sink.queue.queueId, offset: sink.offset };
}

/**
 * Returns a record with the parts that a result has; those that it leaves out stay as they are, with their schemas.
 *
 * @param result without one, or with null, the record is dropped
 * @throws ConnectError naming a part that is wrong or unknown
 */
export function changedRecord(record: ConnectRecord, result: unknown, budget: PlainBudget): ConnectRecord | undefined {
  const parts = fromPlain(result, budget);
  if (parts === null) return undefined;
  if (!isConnectObject(parts))
    throw unfit(`the expression gave ${kindOf(parts)} for the record; allowed are an object, and null to drop it`);
  const place = placeOf(record);
  const unknown = Object.keys(parts).find((name) => !PARTS.some((part) => part === name) && place[name] !== parts[name]);
  if (unknown !== undefined) throw unfit(`the expression gave the record a part ${unknown}; allowed are ${PARTS.join(', ')}`);
  const { topic, key, value, headers, timestamp, tag } = parts;
  let changed = record;
  if (topic !== undefined) changed = routed(changed, requireText('topic', topic));
  // A view has null for what a record has not: that changes nothing.
  if (key !== undefined && !(key === null && record.key === undefined)) changed = KEY.replaced(changed, key, undefined);
  if (value !== undefined) changed = VALUE.replaced(changed, value, undefined);
  if (headers !== undefined) changed = { ...changed, headers: headersOf(headers, record.headers ?? [], budget) };
  if (timestamp !== undefined && timestamp !== null) changed = { ...changed, timestamp: requireTime(timestamp) };
  if (tag !== undefined && !(tag === null && record.rocketmq?.tag === undefined))
    changed = { ...changed, rocketmq: { ...attributesOf(record), tag: tag === null ? undefined : requireText('tag', tag) } };
  return changed;
}

/** A sink's attributes are read from the message one by one, so that a copy by its own fields would have none. */
function attributesOf({ rocketmq }: ConnectRecord): ConnectRecord['rocketmq'] {
  if (rocketmq === undefined) return undefined;
  const { keys, shardingKey, queue, delayLevel, deliverAt, bornAt } = rocketmq;
  return { keys, shardingKey, queue, delayLevel, deliverAt, bornAt };
}

/** A header that stays as it was keeps its value with all digits, and its schema. */
function headersOf(given: ConnectValue, before: readonly RecordHeader[], budget: PlainBudget): readonly RecordHeader[] {
  if (!Array.isArray(given))
    throw unfit(`the expression gave ${kindOf(given)} as headers; allowed is an array of objects with key and value`);
  return (given as readonly ConnectValue[]).map((header) => {
    if (!isConnectObject(header)) throw unfit(`the expression gave ${kindOf(header)} as a header; allowed are objects with key and value`);
    const key = requireText('key of a header', header['key'] ?? null);
    const value = header['value'] ?? null;
    const same = before.find((each) => each.key === key && isDeepStrictEqual(fromPlain(toPlain(each.value), budget), value));
    return same ?? { key, value };
  });
}

function requireText(part: string, value: ConnectValue): string {
  if (typeof value === 'string') return value;
  throw unfit(`the expression gave ${kindOf(value)} as ${part}; allowed is a text`);
}

function requireTime(value: ConnectValue): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw unfit(`the expression gave ${kindOf(value)} as timestamp; allowed are milliseconds since the epoch`);
}
