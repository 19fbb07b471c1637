import { describe, expect, it } from '@jest/globals';
import { contextProperties, type DeadLetterContext, redrivenProperties } from './dead-letter.js';
import { readContext, redrivesOf } from './letter-context.js';
import { forEachProperty } from './property-block.js';

const CONTEXT: DeadLetterContext = {
  topic: 'orders',
  brokerName: 'broker-a',
  queueId: 3,
  offset: 17,
  connector: 'orders-out',
  taskIndex: 2,
  stage: 'VALUE_CONVERTER',
  className: 'JsonConverter',
  exceptionClass: 'ConversionError',
  exceptionMessage: 'no JSON',
  stackTrace: 'at',
};

function mapOf(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>();
  forEachProperty(Buffer.from(text), (name, value) => properties.set(name, value));
  return properties;
}

describe('the context of a dead letter', () => {
  it('is read as it was written', () => {
    expect(readContext(mapOf(contextProperties(CONTEXT, '')))).toEqual({
      writtenBy: 'sink',
      topic: 'orders',
      brokerName: 'broker-a',
      queueId: 3,
      connector: 'orders-out',
      task: '2',
      stage: 'VALUE_CONVERTER',
      exceptionClass: 'ConversionError',
      exceptionMessage: 'no JSON',
      omitted: undefined,
    });
    const { brokerName, queueId, offset, ...ofSource } = CONTEXT;
    const source = readContext(mapOf(contextProperties({ ...ofSource, sourcePartition: '{}' }, '')));
    expect(source).toMatchObject({ writtenBy: 'source', topic: 'orders', queueId: undefined });
  });

  it('says nothing of a part that was cut, and what of it was cut away still says who wrote it', () => {
    const full = 'x'.repeat(31_430);
    const cut = readContext(mapOf(contextProperties({ ...CONTEXT, topic: 't'.repeat(120) }, full)));
    expect(cut.topic).toBeUndefined();
    const source = readContext(new Map([['__connect.errors.cut', 'source.partition,source.position']]));
    expect(source.writtenBy).toBe('source');
    expect(readContext(new Map()).writtenBy).toBeUndefined();
  });
});

describe('the properties of a redriven record', () => {
  it('are what its producer wrote and how often it was redriven', () => {
    const written = 'TAGS\u0001paid\u0002origin\u0001shop\u0002sluice-redriven\u00011\u0002sluice-p\u0001stamp\u0002CLUSTER\u0001c\u0002';
    const properties = redrivenProperties(Buffer.from(written + contextProperties(CONTEXT, '')), 2);
    expect(properties).toBe('TAGS\u0001paid\u0002origin\u0001shop\u0002sluice-redriven\u00012\u0002');
    expect(redrivesOf(mapOf(properties))).toBe(2);
    expect(redrivesOf(new Map([['sluice-redriven', 'often']]))).toBe(0);
  });
});
