import {
  type Converter,
  type ConverterPlugin,
  ConfigError,
  ConnectError,
  ConnectErrorCode,
  type FieldError,
  parseConfig,
  type RawConfig,
} from '@sluice/sdk';
import { chooseConverters, type ConverterChoice, type DefaultConverters, unknownConverterError } from './converter-choice.js';
import type { Converters } from './converter.js';

/**
 * Makes the converters that a connector's configuration names in `key.converter`, `value.converter` and `header.converter`, with
 * the settings behind these prefixes, for example `value.converter.schemas.enable`.
 *
 * @throws ConfigError naming every unknown converter and every wrong setting of one.
 */
export function createConverters(config: RawConfig, defaults: DefaultConverters = {}): Converters {
  const choices = chooseConverters(config, defaults);
  const errors = choices.flatMap(choiceErrors);
  if (errors.length > 0) throw new ConfigError('The choice of converters', errors);
  const create = (part: keyof Converters): Converter => {
    const { plugin, settings } = choiceOf(choices, part);
    return plugin.create(settings);
  };
  return { key: create('key'), value: create('value'), header: create('header') };
}

function choiceErrors(choice: ConverterChoice): readonly FieldError[] {
  const { plugin, setting, settings } = choice;
  if (plugin === undefined) return [unknownConverterError(choice)];
  const parsed = parseConfig(plugin.spec, settings, { unknownKeys: 'ignore' });
  if (parsed.ok) return [];
  return parsed.errors.map(({ field, message }) => ({
    field: `${setting}.${field}`,
    message: `${setting}: ${message}`,
  }));
}

function choiceOf(choices: readonly ConverterChoice[], part: keyof Converters): ConverterChoice & { readonly plugin: ConverterPlugin } {
  const choice = choices.find((each) => each.part === part);
  if (choice?.plugin === undefined) throw new ConnectError(ConnectErrorCode.internal, `No converter was chosen for the ${part}`);
  return { ...choice, plugin: choice.plugin };
}
