import {
  type Converter,
  type ConverterPlugin,
  ConfigError,
  type ConfigSpec,
  ConnectError,
  ConnectErrorCode,
  type FieldError,
  parseConfig,
  type RawConfig,
} from '@sluice/sdk';
import { choiceErrors, choiceSpec } from '../catalog/plugin-choice.js';
import type { PluginTable } from '../catalog/plugin-table.js';
import { BUILT_IN_CONVERTERS, chooseConverters, type ConverterChoice, type DefaultConverters } from './converter-choice.js';
import type { Converters } from './converter.js';

/** Returns the settings of the converters that a configuration chooses, under the names that they have in it. */
export function converterSettingsSpec(choices: readonly ConverterChoice[]): ConfigSpec {
  return Object.assign({}, ...choices.map((choice) => choiceSpec(choice, 'Converters'))) as ConfigSpec;
}

/**
 * Makes the converters that a connector's configuration names in `key.converter`, `value.converter` and `header.converter`, with
 * the settings behind these prefixes, for example `value.converter.schemas.enable`.
 *
 * @param table the converters that there are; by default those that every runner has
 * @throws ConfigError naming every unknown converter and every wrong setting of one.
 */
export function createConverters(
  config: RawConfig,
  defaults: DefaultConverters = {},
  table: PluginTable<ConverterPlugin> = BUILT_IN_CONVERTERS,
): Converters {
  const choices = chooseConverters(config, defaults, table);
  const parsed = parseConfig(converterSettingsSpec(choices), config, { unknownKeys: 'ignore' });
  const errors: readonly FieldError[] = [...(parsed.ok ? [] : parsed.errors), ...choices.flatMap((choice) => choiceErrors(choice, table))];
  if (errors.length > 0) throw new ConfigError('The choice of converters', errors);
  const create = (part: keyof Converters): Converter => {
    const choice = choices.find((each) => each.part === part);
    if (choice?.plugin === undefined) throw new ConnectError(ConnectErrorCode.internal, `No converter was chosen for the ${part}`);
    return choice.plugin.create(choice.settings, part);
  };
  return { key: create('key'), value: create('value'), header: create('header') };
}
