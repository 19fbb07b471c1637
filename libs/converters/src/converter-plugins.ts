import { type Converter, type ConverterPlugin, type FieldError, type RawConfig, requireConfig } from '@sluice/sdk';
import { avroConverter, registryProblems } from './avro/avro.converter.js';
import { avroConverterSpec } from './avro/avro-settings.js';
import { cloudEventsConverter } from './cloud-events/cloud-event-messages.js';
import { cloudEventsConverterSpec, cloudEventsProblems } from './cloud-events/cloud-events-settings.js';
import { jsonSchemaConverter } from './json-schema/json-schema.converter.js';
import { jsonSchemaConverterSpec } from './json-schema/json-schema-names.js';
import { JsonConverter, jsonConverterSpec } from './json/json.converter.js';
import { BooleanConverter } from './plain/boolean.converter.js';
import { ByteArrayConverter } from './plain/byte-array.converter.js';
import { NUMBER_FORMATS, NumberConverter, type NumberFormat } from './plain/number.converter.js';
import { SimpleHeaderConverter } from './plain/simple-header.converter.js';
import { StringConverter, stringConverterSpec } from './plain/string.converter.js';
import { protobufConverter } from './protobuf/protobuf.converter.js';
import { protobufConverterSpec } from './protobuf/protobuf-names.js';

const VERSION = '0.1.0';
const ROCKETMQ = 'org.apache.rocketmq.connect.runtime.converter.record.';
const KAFKA = 'org.apache.kafka.connect.';

/** The converters that every runner has. */
export const CONVERTER_PLUGINS: readonly ConverterPlugin[] = [
  {
    kind: 'converter',
    name: 'StringConverter',
    aliases: ['String', `${KAFKA}storage.StringConverter`, `${ROCKETMQ}StringConverter`],
    version: VERSION,
    doc: 'Text, in UTF-8 or another encoding; bytes pass untouched.',
    spec: stringConverterSpec,
    validate: (settings) => problems('encoding', () => stringConverter(settings)),
    create: stringConverter,
  },
  {
    kind: 'converter',
    name: 'ByteArrayConverter',
    aliases: ['ByteArray', `${KAFKA}converters.ByteArrayConverter`, `${ROCKETMQ}ByteArrayConverter`],
    version: VERSION,
    doc: 'Bytes, untouched.',
    spec: {},
    create: () => new ByteArrayConverter(),
  },
  {
    kind: 'converter',
    name: 'JsonConverter',
    aliases: ['Json', `${KAFKA}json.JsonConverter`, `${ROCKETMQ}json.JsonConverter`],
    version: VERSION,
    doc: 'JSON, with or without a schema in each value.',
    spec: jsonConverterSpec,
    validate: (settings) => problems('schema.content', () => jsonConverter(settings)),
    create: jsonConverter,
  },
  ...Object.values(NUMBER_FORMATS).map(numberPlugin),
  {
    kind: 'converter',
    name: 'BooleanConverter',
    aliases: ['Boolean', `${KAFKA}converters.BooleanConverter`],
    version: VERSION,
    doc: 'Booleans, in one byte.',
    spec: {},
    create: () => new BooleanConverter(),
  },
  {
    kind: 'converter',
    name: 'SimpleHeaderConverter',
    aliases: ['Simple', `${KAFKA}storage.SimpleHeaderConverter`],
    version: VERSION,
    doc: 'Text that says by its form what it is: `12` is a number, `true` a boolean, `[1,2]` a list, `2019-08-23` a date.',
    spec: {},
    create: () => new SimpleHeaderConverter(),
  },
  {
    kind: 'converter',
    name: 'AvroConverter',
    aliases: ['Avro', 'io.confluent.connect.avro.AvroConverter'],
    version: VERSION,
    doc: 'Avro behind the id of its schema in a schema registry with the Confluent API.',
    spec: avroConverterSpec,
    validate: registryProblems,
    create: avroConverter,
  },
  {
    kind: 'converter',
    name: 'JsonSchemaConverter',
    aliases: ['JsonSchema', 'io.confluent.connect.json.JsonSchemaConverter'],
    version: VERSION,
    doc: 'JSON behind the id of its JSON Schema in a schema registry with the Confluent API.',
    spec: jsonSchemaConverterSpec,
    validate: registryProblems,
    create: jsonSchemaConverter,
  },
  {
    kind: 'converter',
    name: 'ProtobufConverter',
    aliases: ['Protobuf', 'io.confluent.connect.protobuf.ProtobufConverter'],
    version: VERSION,
    doc: 'Protobuf behind the id of its schema in a schema registry with the Confluent API.',
    spec: protobufConverterSpec,
    validate: registryProblems,
    create: protobufConverter,
  },
  {
    kind: 'converter',
    name: 'CloudEventsConverter',
    aliases: ['CloudEvents', 'io.debezium.converters.CloudEventsConverter'],
    version: VERSION,
    doc: 'Events of CloudEvents 1.0 with the value as their data, in the structured mode, as JSON, or in the binary mode.',
    spec: cloudEventsConverterSpec,
    validate: cloudEventsProblems,
    create: cloudEventsConverter,
  },
];

function numberPlugin(format: NumberFormat): ConverterPlugin {
  const { name, type, size } = format;
  return {
    kind: 'converter',
    name,
    aliases: [name.replace('Converter', ''), `${KAFKA}converters.${name}`, ROCKETMQ + name],
    version: VERSION,
    doc: `Numbers of type ${type}, in ${size} bytes, big-endian.`,
    spec: {},
    create: () => new NumberConverter(format),
  };
}

function stringConverter(settings: RawConfig): Converter {
  return new StringConverter(
    requireConfig('The configuration of StringConverter', stringConverterSpec, settings, { unknownKeys: 'ignore' }),
  );
}

function jsonConverter(settings: RawConfig): Converter {
  return new JsonConverter(requireConfig('The configuration of JsonConverter', jsonConverterSpec, settings, { unknownKeys: 'ignore' }));
}

/** Makes a converter to see what is wrong with the one setting that its spec cannot check. */
function problems(field: string, create: () => Converter): readonly FieldError[] {
  try {
    create();
    return [];
  } catch (error) {
    return [{ field, message: `Invalid value for configuration ${field}: ${(error as Error).message}` }];
  }
}
