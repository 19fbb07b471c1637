import type { PluginInfo } from '@sluice/core';
import { type ConfigSpec, type RawConfig, requireConfig } from '@sluice/sdk';
import { ByteArrayConverter } from './byte-array.converter.js';
import type { Converter } from './converter.js';
import { JsonConverter, jsonConverterSpec } from './json.converter.js';
import { StringConverter, stringConverterSpec } from './string.converter.js';

/** A converter that connectors can name. */
export interface ConverterPlugin {
  readonly name: string;
  /** The names that Kafka Connect and Apache RocketMQ Connect have for it. */
  readonly aliases: readonly string[];
  readonly version: string;
  readonly doc: string;
  /** Its settings, without the prefix that they have in a connector's configuration. */
  readonly spec: ConfigSpec;
  /** Settings that it does not know are ignored. Throws a `ConfigError`. */
  readonly create: (settings: RawConfig) => Converter;
}

const VERSION = '0.1.0';

export const CONVERTER_PLUGINS: readonly ConverterPlugin[] = [
  {
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

const BY_NAME = new Map(CONVERTER_PLUGINS.flatMap((plugin) => [plugin.name, ...plugin.aliases].map((name) => [name, plugin] as const)));

/** The converter of that name or alias. */
export function converterByName(name: string): ConverterPlugin | undefined {
  return BY_NAME.get(name);
}

/** Describes the converters for lists of plugins. */
export function converterInfos(): readonly PluginInfo[] {
  return CONVERTER_PLUGINS.map((plugin) => ({
    kind: 'converter',
    name: plugin.name,
    aliases: plugin.aliases,
    version: plugin.version,
  }));
}
