import { describe, expect, it } from '@jest/globals';
import { contextProperties, type DeadLetterContext, writtenProperties } from './dead-letter.js';
import { forEachProperty, propertyText } from './property-block.js';
import { MAX_PROPERTIES_BYTES } from './record-limits.js';
import { messageToRecord } from './record-mapping.js';

const context: DeadLetterContext = {
  topic: 'orders',
  brokerName: 'broker-a',
  queueId: 3,
  offset: 17,
  connector: 'to-files',
  taskIndex: 2,
  stage: 'VALUE_CONVERTER',
  className: 'JsonConverter',
  exceptionClass: 'ConversionError',
  exceptionMessage: 'not JSON',
  stackTrace: 'Error: not JSON\n    at read',
};

function mapOf(text: string): Map<string, string> {
  const found = new Map<string, string>();
  forEachProperty(Buffer.from(text), (name, value) => found.set(name, value));
  return found;
}

describe('the properties of a dead letter', () => {
  it('are what the producer wrote: key, tag, headers and time stay, stamps, what brokers add and an older context do not', () => {
    const kept = ['KEYS', 'TAGS', '__SHARDINGKEY', 'sluice-key', 'sluice-null', 'sluice-ts', 'sluice-headers', 'sluice-h.t2.a', 'mine'];
    const dropped = [
      ...['sluice-p', 'sluice-b', 'DELAY', 'TIMER_DELIVER_MS', 'MIN_OFFSET', 'REAL_TOPIC', 'PGROUP', 'WAIT', 'TRAN_MSG'],
      ...['__connect.errors.stage', '__RMQ.TRANSIENT.x'],
    ];
    const block = [...dropped, ...kept].map((name) => propertyText(name, `${name}=`)).join('');
    expect([...mapOf(writtenProperties(Buffer.from(block))).keys()]).toEqual(kept);
  });

  it('name the place, the stage and the error as Kafka Connect does, and the broker', () => {
    expect(Object.fromEntries(mapOf(contextProperties(context, '')))).toEqual({
      '__connect.errors.topic': 'orders',
      '__connect.errors.partition': '3',
      '__connect.errors.offset': '17',
      '__connect.errors.broker.name': 'broker-a',
      '__connect.errors.queue.id': '3',
      '__connect.errors.connector.name': 'to-files',
      '__connect.errors.task.id': '2',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.class.name': 'JsonConverter',
      '__connect.errors.exception.class.name': 'ConversionError',
      '__connect.errors.exception.message': 'not JSON',
      '__connect.errors.exception.stacktrace': 'Error: not JSON\n    at read',
    });
  });

  it('are read by sinks as headers, and hold no separator of the block', () => {
    const text = contextProperties({ ...context, exceptionMessage: 'a\u0001b\u0002c' }, '');
    const { headers } = messageToRecord({ body: Buffer.from('x'), properties: Buffer.from(text) });
    expect(headers).toHaveLength(12);
    expect(headers.find(({ key }) => key === '__connect.errors.exception.message')?.value).toBe('a b c');
  });

  it.each([
    ['the trace', 0, 40_000, 'exception.stacktrace'],
    ['message and trace', 31_000, 4_000, 'exception.message,exception.stacktrace'],
  ])('fit into a message: %s is cut, and the letter says so', (_what, writtenBytes, length, cut) => {
    const written = propertyText('mine', 'm'.repeat(Math.max(1, writtenBytes - 6)));
    const long = { ...context, exceptionMessage: 'ü'.repeat(length / 8), stackTrace: 'ä'.repeat(length / 2) };
    const text = contextProperties(long, written);
    const found = mapOf(text);
    expect(Buffer.byteLength(written + text)).toBeLessThanOrEqual(MAX_PROPERTIES_BYTES);
    expect(found.get('__connect.errors.cut')).toBe(cut);
    expect(found.get('__connect.errors.stage')).toBe('VALUE_CONVERTER');
    const last = found.get(`__connect.errors.${cut.split(',')[0]!}`);
    expect(last === undefined || / \.\.\. cut, it has \d+ bytes$/.test(last)).toBe(true);
    expect(text).not.toContain('\ufffd');
  });

  it('leave the context out where the message has no room, and never pass the limit', () => {
    for (const bytes of [31_400, 31_480, 31_700, 31_990, 32_700]) {
      const written = propertyText('mine', 'm'.repeat(bytes - 6));
      const total = Buffer.byteLength(written + contextProperties(context, written));
      expect(total).toBeLessThanOrEqual(Math.max(bytes, MAX_PROPERTIES_BYTES));
    }
  });
});
