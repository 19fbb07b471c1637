import { ALLOWED_RANGES, parseVersionRange } from '@sluice/core';
import { type ConfigSpec, type Field, type FieldError, nearestName, parseConfig, type RawConfig, type RecordPart } from '@sluice/sdk';
import type { Plugin, PluginTable } from './plugin-table.js';

/** The setting behind a plugin's prefix that says which of its versions is meant. */
const VERSION = 'plugin.version';

/** A plugin that has settings of its own inside the configuration of a connector. */
export interface ChoosablePlugin extends Plugin {
  readonly validate?: (settings: RawConfig, part?: RecordPart) => readonly FieldError[];
}

/** What a configuration says about one plugin, whether that exists or not. */
export interface PluginChoice<P extends ChoosablePlugin> {
  /** The setting that names its class, for example `value.converter` or `transforms.mask.type`. */
  readonly setting: string;
  /** What its own settings begin with, before a dot. */
  readonly prefix: string;
  /** `undefined` if no class was given. */
  readonly className: string | undefined;
  /** The versions that are allowed, as given. */
  readonly version: string | undefined;
  /** `undefined` if there is none of that name and version. */
  readonly plugin: P | undefined;
  /** Its own settings, without the prefix. */
  readonly settings: RawConfig;
  /** What of records it is for, where that is a part of them. */
  readonly part?: RecordPart;
  /** Names behind the prefix that are no settings of the plugin itself. */
  readonly own: readonly string[];
}

/** Finds the plugin of a class that a configuration names, and its settings behind the prefix. */
export function choosePlugin<P extends ChoosablePlugin>(
  table: PluginTable<P>,
  config: RawConfig,
  {
    setting,
    prefix,
    className,
    own = [],
  }: Pick<PluginChoice<P>, 'setting' | 'prefix' | 'className'> & { readonly own?: readonly string[] },
): PluginChoice<P> {
  const given = config[`${prefix}.${VERSION}`]?.trim();
  const version = given === '' ? undefined : given;
  const names = [...own, VERSION];
  const settings = Object.entries(config)
    .filter(([name]) => name.startsWith(`${prefix}.`))
    .map(([name, value]) => [name.slice(prefix.length + 1), value] as const)
    .filter(([name]) => !names.includes(name));
  const plugin = className === undefined ? undefined : table.find(className, version);
  return { setting, prefix, className, version, plugin, settings: Object.fromEntries(settings), own: names };
}

/** Returns the setting that chooses the version of a plugin, and the plugin's own settings, under the names that they have in a configuration. */
export function choiceSpec({ prefix, plugin }: PluginChoice<ChoosablePlugin>, group: string): ConfigSpec {
  const spec: Record<string, Field> = {};
  for (const [name, field] of Object.entries(plugin?.spec ?? {})) {
    const aliases = field.aliases?.map((alias) => `${prefix}.${alias}`);
    spec[`${prefix}.${name}`] = { ...field, group, displayName: `${prefix}.${name}`, ...(aliases === undefined ? {} : { aliases }) };
  }
  return { ...versionSpec(prefix, group), ...spec };
}

/** Returns the setting that chooses the version of a plugin. */
export function versionSpec(prefix: string, group: string): ConfigSpec {
  return {
    [`${prefix}.${VERSION}`]: {
      type: 'string',
      importance: 'low',
      optional: true,
      nonEmpty: true,
      doc: 'The version of the class: an exact one, a range such as `[1.0,2.0)`, or `latest`. By default the newest one of the runner.',
      example: '[1.0,2.0)',
      group,
      width: 'short',
      displayName: `${prefix}.${VERSION}`,
    },
  };
}

/** Finds what is wrong with a choice, beside values that do not fit the spec of the plugin. */
export function choiceErrors<P extends ChoosablePlugin>(choice: PluginChoice<P>, table: PluginTable<P>): readonly FieldError[] {
  const { plugin } = choice;
  if (plugin === undefined) return missingErrors(choice, table);
  const { prefix, settings } = choice;
  const known = Object.entries(plugin.spec).flatMap(([name, { aliases }]) => [name, ...(aliases ?? [])]);
  const unknown = Object.keys(settings)
    .filter((name) => !known.includes(name))
    .map((name) => unknownSettingError(choice, plugin, name));
  // Rules across settings are asked only when each setting is right by itself.
  const isParsed = parseConfig(plugin.spec, settings, { unknownKeys: 'ignore' }).ok;
  const further = isParsed ? (plugin.validate?.(settings, choice.part) ?? []) : [];
  return [...unknown, ...further.map(({ field, message }) => ({ field: `${prefix}.${field}`, message: `${prefix}: ${message}` }))];
}

/** Says why a choice cannot be made, in Kafka Connect's words. */
function missingErrors<P extends ChoosablePlugin>(
  { setting, prefix, className, version }: PluginChoice<P>,
  table: PluginTable<P>,
): FieldError[] {
  // That a class is missing, its own spec says.
  if (className === undefined || className === '') return [];
  if (table.versions(className).length > 0) return versionErrors(table, className, `${prefix}.${VERSION}`, version ?? '');
  const available = table.names().join(', ') || 'none';
  const reason = `Class ${className} could not be found. Available ${table.noun} are: ${available}.`;
  return [{ field: setting, message: `Invalid value ${className} for configuration ${setting}: ${reason}` }];
}

/** Says why no version of a plugin that exists can be taken. */
export function versionErrors<P extends Plugin>(table: PluginTable<P>, className: string, field: string, given: string): FieldError[] {
  const versions = table.versions(className);
  const reason =
    parseVersionRange(given) === undefined
      ? `${ALLOWED_RANGES}.`
      : `${versions[0]?.name ?? className} has no such version. Available versions are: ${versions.map(({ version }) => version).join(', ')}.`;
  return [{ field, message: `Invalid value ${given} for configuration ${field}: ${reason}` }];
}

function unknownSettingError({ prefix, own }: PluginChoice<ChoosablePlugin>, plugin: ChoosablePlugin, name: string): FieldError {
  const field = `${prefix}.${name}`;
  const known = Object.keys(plugin.spec);
  const nearest = nearestName(name, [...known, ...own]);
  const hint = nearest === undefined ? '' : ` Did you mean ${prefix}.${nearest}?`;
  const allowed = known.length === 0 ? 'It has no settings.' : `Its settings are: ${known.join(', ')}.`;
  return { field, message: `Configuration ${field} is not a setting of ${plugin.name}.${hint} ${allowed}` };
}
