import { type Converter, type FieldError, isConfigError, type RawConfig, type RecordPart, requireConfig } from '@sluice/sdk';
import { RegistryClient } from '../registry/registry-client.js';
import { RegistryConverter } from '../registry/registry-converter.js';
import { type RegistrySettings, registrySpec } from '../registry/registry-settings.js';
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

/** Finds settings that contradict each other, addresses that are none, and credentials that are not complete. */
export function registryProblems(settings: RawConfig): readonly FieldError[] {
  const isTrue = (name: string): boolean => settings[name]?.trim().toLowerCase() === 'true';
  const problems = clientProblems(settings);
  if (!isTrue('use.latest.version') || settings['auto.register.schemas']?.trim().toLowerCase() === 'false') return problems;
  return [...problems, { field: 'use.latest.version', message: 'use.latest.version=true needs auto.register.schemas=false.' }];
}

function clientProblems(raw: RawConfig): readonly FieldError[] {
  let settings: RegistrySettings;
  try {
    settings = requireConfig('The configuration of the schema registry', registrySpec, raw, { unknownKeys: 'ignore' });
  } catch {
    // The spec reports these itself.
    return [];
  }
  try {
    new RegistryClient(settings);
    return [];
  } catch (error) {
    if (isConfigError(error)) return error.errors;
    throw error;
  }
}
