import type { ConverterPlugin, FieldError, RawConfig } from '@sluice/sdk';
import { converterByName, CONVERTER_PLUGINS } from './converter-plugins.js';
import type { Converters } from './converter.js';

/** Converters that a connector has when the user names none, by name. */
export interface DefaultConverters {
  readonly key?: string;
  readonly value?: string;
  readonly header?: string;
}

/** The converter of one part of a connector's records. */
export interface ConverterChoice {
  readonly part: keyof Converters;
  /** The setting that names it, for example `value.converter`; its own settings have this and a dot in front. */
  readonly setting: string;
  readonly className: string;
  /** `undefined` if there is none of that name. */
  readonly plugin: ConverterPlugin | undefined;
  /** Its own settings, without the prefix. */
  readonly settings: RawConfig;
}

/** What is taken where neither the user nor the connector names a converter. */
export const DEFAULT_CONVERTER_NAME = 'StringConverter';

const PARTS = ['key', 'value', 'header'] as const satisfies readonly (keyof Converters)[];

/** Which converters a connector's configuration means, also where they do not exist. */
export function chooseConverters(config: RawConfig, defaults: DefaultConverters = {}): readonly ConverterChoice[] {
  return PARTS.map((part) => {
    const setting = `${part}.converter`;
    const prefix = `${setting}.`;
    const className = config[setting]?.trim() ?? defaults[part] ?? DEFAULT_CONVERTER_NAME;
    const own = Object.entries(config).filter(([name]) => name.startsWith(prefix));
    const settings = Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
    return { part, setting, className, plugin: converterByName(className), settings };
  });
}

/** Says why a choice cannot be made, in Kafka Connect's words. */
export function unknownConverterError({ setting, className }: ConverterChoice): FieldError {
  const available = CONVERTER_PLUGINS.map(({ name }) => name).join(', ');
  return {
    field: setting,
    message: `Invalid value ${className} for configuration ${setting}: Class ${className} could not be found. Available converters are: ${available}.`,
  };
}
