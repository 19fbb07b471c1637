import { type Converter, type RawConfig, type RecordPart, requireConfig } from '@sluice/sdk';
import { RegistryConverter } from '../registry/registry-converter.js';
import { jsonSchemaConverterSpec } from './json-schema-names.js';

const NAME = 'JsonSchemaConverter';

/** Makes a converter to and from JSON behind ids of a schema registry. @throws ConfigError */
export function jsonSchemaConverter(raw: RawConfig, part: RecordPart): Converter {
  const settings = requireConfig(`The configuration of ${NAME}`, jsonSchemaConverterSpec, raw, { unknownKeys: 'ignore' });
  return new RegistryConverter({
    name: NAME,
    part,
    settings,
    // A runner without such a converter does not load the library.
    load: async () => new (await import('./json-schema-format.js')).JsonSchemaFormat(settings),
  });
}
