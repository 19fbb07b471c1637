import { type Converter, type RawConfig, type RecordPart, requireConfig } from '@sluice/sdk';
import { RegistryConverter } from '../registry/registry-converter.js';
import { protobufConverterSpec } from './protobuf-names.js';

const NAME = 'ProtobufConverter';

/** Makes a converter to and from Protobuf behind ids of a schema registry. @throws ConfigError */
export function protobufConverter(raw: RawConfig, part: RecordPart): Converter {
  const settings = requireConfig(`The configuration of ${NAME}`, protobufConverterSpec, raw, { unknownKeys: 'ignore' });
  return new RegistryConverter({
    name: NAME,
    part,
    settings,
    // A runner without such a converter does not load the library.
    load: async () => new (await import('./protobuf-format.js')).ProtobufFormat(settings),
  });
}
