import type { ConfigOf, ConfigSpec } from '@sluice/sdk';
import { IGNORE_DEFAULT_FIELD, registrySpec } from '../registry/registry-settings.js';

export const avroConverterSpec = {
  ...registrySpec,
  'connect.meta.data': {
    type: 'boolean',
    importance: 'low',
    default: true,
    doc: 'Whether Avro schemas hold the names, versions, docs, parameters and defaults that Avro has no place for.',
  },
  'enhanced.avro.schema.support': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    doc: 'Whether an enum stays one when it is written again, and branches of unions have full names.',
  },
  'scrub.invalid.names': {
    type: 'boolean',
    importance: 'medium',
    default: false,
    doc: 'Whether characters that Avro does not allow in names become `_`. Otherwise such a name is an error.',
  },
  'ignore.default.for.nullables': IGNORE_DEFAULT_FIELD,
} as const satisfies ConfigSpec;

export type AvroSettings = ConfigOf<typeof avroConverterSpec>;
