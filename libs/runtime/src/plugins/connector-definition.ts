import type { ConfigSpec, Connector, Field, RawConfig } from '@sluice/sdk';
import { sinkSettingsSpec, sourceSettingsSpec } from '../config/connector-settings.js';
import { chooseConverters, type ConverterChoice, DEFAULT_CONVERTER_NAME } from '../converters/converter-choice.js';

/** Returns all settings of a connector: those that every connector of its kind has, with its own defaults of converters, and its own. */
export function connectorSpec(connector: Connector): ConfigSpec {
  const shared = connector.kind === 'source' ? sourceSettingsSpec : sinkSettingsSpec;
  const { key, value } = connector.defaultConverters ?? {};
  return {
    ...shared,
    'key.converter': { ...shared['key.converter'], default: key ?? DEFAULT_CONVERTER_NAME },
    'value.converter': { ...shared['value.converter'], default: value ?? DEFAULT_CONVERTER_NAME },
    ...connector.spec,
  };
}

/** Returns the settings of the converters that a configuration chooses, under the names that they have in it. */
export function converterSettingsSpec(choices: readonly ConverterChoice[]): ConfigSpec {
  const spec: Record<string, Field> = {};
  for (const { setting, plugin } of choices) {
    for (const [name, field] of Object.entries(plugin?.spec ?? {})) {
      spec[`${setting}.${name}`] = { ...field, group: 'Converters', displayName: `${setting}.${name}` };
    }
  }
  return spec;
}

export function converterChoices(connector: Connector, config: RawConfig): readonly ConverterChoice[] {
  return chooseConverters(config, connector.defaultConverters);
}
