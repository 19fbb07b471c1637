import { type ConverterPlugin, requireConfig } from '@sluice/sdk';
import { ByteArrayConverter } from './plain/byte-array.converter.js';
import { JsonConverter, jsonConverterSpec } from './json/json.converter.js';
import { StringConverter, stringConverterSpec } from './plain/string.converter.js';

const VERSION = '0.1.0';

/** The converters that every runner has. */
export const CONVERTER_PLUGINS: readonly ConverterPlugin[] = [
  {
    kind: 'converter',
    name: 'StringConverter',
    aliases: [
      'String',
      'org.apache.kafka.connect.storage.StringConverter',
      'org.apache.rocketmq.connect.runtime.converter.record.StringConverter',
    ],
    version: VERSION,
    doc: 'Text in UTF-8; bytes pass untouched.',
    spec: stringConverterSpec,
    create: () => new StringConverter(),
  },
  {
    kind: 'converter',
    name: 'ByteArrayConverter',
    aliases: [
      'ByteArray',
      'org.apache.kafka.connect.converters.ByteArrayConverter',
      'org.apache.rocketmq.connect.runtime.converter.record.ByteArrayConverter',
    ],
    version: VERSION,
    doc: 'Bytes, untouched.',
    spec: {},
    create: () => new ByteArrayConverter(),
  },
  {
    kind: 'converter',
    name: 'JsonConverter',
    aliases: [
      'Json',
      'org.apache.kafka.connect.json.JsonConverter',
      'org.apache.rocketmq.connect.runtime.converter.record.json.JsonConverter',
    ],
    version: VERSION,
    doc: 'JSON, with or without a schema in each value.',
    spec: jsonConverterSpec,
    create: (settings) =>
      new JsonConverter(requireConfig('The configuration of JsonConverter', jsonConverterSpec, settings, { unknownKeys: 'ignore' })),
  },
];
