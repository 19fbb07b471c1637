import { describe, expect, it } from '@jest/globals';
import { ByteArrayConverter, CONVERTER_PLUGINS, StringConverter } from '@sluice/converters';
import { ConfigError } from '@sluice/sdk';
import { BUILT_IN_CONVERTERS } from './converter-choice.js';
import { createConverters } from './create-converters.js';

describe('createConverters', () => {
  it('takes the setting first, then the default of the connector, then StringConverter', () => {
    const { key, value, header } = createConverters(
      { 'key.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter' },
      { key: 'JsonConverter', value: 'ByteArrayConverter' },
    );
    expect(key).toBeInstanceOf(ByteArrayConverter);
    expect(value).toBeInstanceOf(ByteArrayConverter);
    expect(header).toBeInstanceOf(StringConverter);
  });

  it('gives a converter the settings behind its prefix', () => {
    const { key, value } = createConverters({
      'key.converter': 'JsonConverter',
      'value.converter': 'org.apache.rocketmq.connect.runtime.converter.record.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
    });
    expect(String(key.toBytes(1, undefined, 'numbers'))).toBe('{"schema":null,"payload":1}');
    expect(String(value.toBytes(1, undefined, 'numbers'))).toBe('1');
  });

  it('names every converter that is unknown and every setting that is wrong', () => {
    const create = (): unknown =>
      createConverters({
        'key.converter': 'com.acme.Nope',
        'value.converter': 'JsonConverter',
        'value.converter.schemas.enable': 'maybe',
      });
    expect(create).toThrow(ConfigError);
    expect(create).toThrow(
      'Invalid value com.acme.Nope for configuration key.converter: Class com.acme.Nope could not be found. ' +
        'Available converters are: StringConverter, ByteArrayConverter, JsonConverter, ',
    );
    expect(create).toThrow('Invalid value maybe for configuration value.converter.schemas.enable');
  });
});

describe('settings that only a converter can check', () => {
  it('are refused by name', () => {
    const create = (): unknown =>
      createConverters({
        'key.converter.encoding': 'EBCDIC',
        'value.converter': 'JsonConverter',
        'value.converter.schema.content': '{"type":"int9"}',
      });
    expect(create).toThrow('key.converter: Invalid value for configuration encoding: EBCDIC given; allowed are UTF-8, UTF-16,');
    expect(create).toThrow('value.converter: Invalid value for configuration schema.content: JsonConverter: Unknown schema type: int9');
  });

  it("are taken under Kafka Connect's name", () => {
    const { key } = createConverters({ 'key.converter.converter.encoding': 'ISO-8859-1' });
    expect(key.toBytes('é', undefined, 'texts')).toEqual(Buffer.of(0xe9));
  });
});

describe('the converters of every runner', () => {
  it('are found under each of their names, and not under those of others', () => {
    for (const plugin of CONVERTER_PLUGINS) {
      for (const name of [plugin.name, ...plugin.aliases]) expect(BUILT_IN_CONVERTERS.find(name)).toBe(plugin);
    }
    expect(BUILT_IN_CONVERTERS.find('com.acme.StringConverter')).toBeUndefined();
  });
});
