import { type Converter, type FieldError, type RawConfig, type RecordPart, requireConfig } from '@sluice/sdk';
import { RegistryConverter } from '../registry/registry-converter.js';
import { avroConverterSpec } from './avro-settings.js';

const NAME = 'AvroConverter';

/** Makes a converter to and from Avro behind ids of a schema registry. @throws ConfigError */
export function avroConverter(raw: RawConfig, part: RecordPart): Converter {
  const settings = requireConfig(`The configuration of ${NAME}`, avroConverterSpec, raw, { unknownKeys: 'ignore' });
  return new RegistryConverter({
    name: NAME,
    part,
    settings,
    // A runner without such a converter does not load the library.
    load: async () => new (await import('./avro-format.js')).AvroFormat(settings),
  });
}

/** Finds settings that contradict each other. */
export function registryProblems(settings: RawConfig): readonly FieldError[] {
  const isTrue = (name: string): boolean => settings[name]?.trim().toLowerCase() === 'true';
  if (!isTrue('use.latest.version') || settings['auto.register.schemas']?.trim().toLowerCase() === 'false') return [];
  return [{ field: 'use.latest.version', message: 'use.latest.version=true needs auto.register.schemas=false.' }];
}
