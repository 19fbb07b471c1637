import { describe, expect, it } from '@jest/globals';
import type { ConnectRecord, RawConfig } from '@sluice/sdk';
import { TRANSFORM_PLUGINS } from './index.js';
import { PLACE, transformOf } from './testing/run-transform.js';

const KAFKA = 'org.apache.kafka.connect.transforms';
const ROCKETMQ = 'org.apache.rocketmq.connect.transforms';
const KEY_AND_VALUE = ['$Key', '$Value'];

describe('the built-in transforms', () => {
  it('have the names and class names of Kafka Connect and Apache RocketMQ Connect', () => {
    const parts = (packageName: string, names: readonly string[]): string[] =>
      names.flatMap((name) => KEY_AND_VALUE.map((part) => `${packageName}.${name}${part}`));
    const inKafka =
      'Cast ExtractField Flatten HeaderFrom HoistField InsertField MaskField ReplaceField SetSchemaMetadata TimestampConverter';
    const inRocketmq = 'ChangeCase ExtractNestedField PatternFilter PatternRename SetMaximumPrecision SetNull';
    const aliases = TRANSFORM_PLUGINS.flatMap((plugin) => plugin.aliases);
    expect(aliases.toSorted()).toEqual(
      [
        ...parts(KAFKA, inKafka.split(' ')),
        ...['DropHeaders', 'Filter', 'InsertHeader', 'RegexRouter', 'TimestampRouter', 'ValueToKey'].map((name) => `${KAFKA}.${name}`),
        ...parts(ROCKETMQ, inRocketmq.split(' ')),
        `${ROCKETMQ}.RegexRouter`,
      ].toSorted(),
    );
    for (const { name, aliases: own } of TRANSFORM_PLUGINS) for (const alias of own) expect(alias.endsWith(`.${name}`)).toBe(true);
  });

  const tombstone: ConnectRecord = { topic: 't', key: { a: 1 }, value: null, timestamp: 1_700_000_000_000, ...PLACE };

  /** What becomes of the value of a tombstone, or the error. As Kafka Connect 4.3.1 has it. */
  it.each<[string, RawConfig, unknown]>([
    ['Cast$Value', { spec: 'a:string' }, 'same'],
    ['Cast$Value', { spec: 'string' }, 'same'],
    ['DropHeaders', { headers: 'h' }, 'same'],
    ['ExtractField$Value', { field: 'a' }, null],
    ['Filter', {}, 'dropped'],
    ['Flatten$Value', {}, 'same'],
    ['HeaderFrom$Value', { fields: 'a', headers: 'h', operation: 'copy' }, 'Only Map objects'],
    ['HoistField$Value', { field: 'f' }, { f: null }],
    ['InsertField$Value', { 'topic.field': 'x' }, 'same'],
    ['InsertHeader', { header: 'h', 'value.literal': '1' }, null],
    ['MaskField$Value', { fields: 'a' }, 'Only Map objects'],
    ['RegexRouter', { regex: 't', replacement: 'x' }, null],
    ['ReplaceField$Value', { exclude: 'a' }, 'same'],
    ['SetSchemaMetadata$Value', { 'schema.name': 'X' }, 'same'],
    ['TimestampConverter$Value', { 'target.type': 'unix' }, 'same'],
    ['TimestampConverter$Value', { 'target.type': 'unix', field: 'a' }, 'same'],
    ['TimestampRouter', {}, null],
    ['ValueToKey', { fields: 'a' }, 'Only Map objects'],
    ['ChangeCase$Value', { from: 'LOWER_CAMEL', to: 'UPPER_CAMEL' }, 'same'],
    ['ExtractNestedField$Value', { 'input.outer.field.name': 'a', 'input.inner.field.name': 'b' }, 'same'],
    ['PatternFilter$Value', { pattern: 'x', fields: 'a' }, 'same'],
    ['PatternRename$Value', { 'field.pattern': 'a', 'field.replacement': 'b' }, 'same'],
    ['SetMaximumPrecision$Value', { 'precision.max': '10' }, 'same'],
    ['SetNull$Value', {}, null],
  ])('a tombstone through %s with %j: %p', (name, settings, expected) => {
    const outcome = (): unknown => {
      try {
        const record = transformOf(name, settings).apply(tombstone);
        if (record === undefined) return 'dropped';
        return record === tombstone ? 'same' : record.value;
      } catch (error) {
        return (error as Error).message.slice(0, 'Only Map objects'.length);
      }
    };
    expect(outcome()).toEqual(expected);
  });
});
