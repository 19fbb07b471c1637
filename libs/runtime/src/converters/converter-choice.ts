import { CONVERTER_PLUGINS } from '@sluice/converters';
import type { ConverterPlugin, RawConfig } from '@sluice/sdk';
import { choosePlugin, type PluginChoice } from '../catalog/plugin-choice.js';
import { PluginTable } from '../catalog/plugin-table.js';
import type { Converters } from './converter.js';

/** Converters that a connector has when the user names none, by name. */
export interface DefaultConverters {
  readonly key?: string;
  readonly value?: string;
  readonly header?: string;
}

/** The converter of one part of a connector's records. */
export interface ConverterChoice extends PluginChoice<ConverterPlugin> {
  readonly part: keyof Converters;
}

/** What is taken where neither the user nor the connector names a converter. */
export const DEFAULT_CONVERTER_NAME = 'StringConverter';

/** The converters that every runner has. */
export const BUILT_IN_CONVERTERS = new PluginTable('converters', CONVERTER_PLUGINS);

const PARTS = ['key', 'value', 'header'] as const satisfies readonly (keyof Converters)[];

/** Which converters a connector's configuration means, also where they do not exist. */
export function chooseConverters(
  config: RawConfig,
  defaults: DefaultConverters,
  table: PluginTable<ConverterPlugin>,
): readonly ConverterChoice[] {
  return PARTS.map((part) => {
    const setting = `${part}.converter`;
    const className = config[setting]?.trim() ?? defaults[part] ?? DEFAULT_CONVERTER_NAME;
    return { part, ...choosePlugin(table, config, { setting, prefix: setting, className }) };
  });
}
