import { isSecretField, parseConfig, type Field } from '@sluice/sdk';
import type { GivenSetting, GivenSettings } from './given-settings.js';
import { type GivenProviderSetting, providersOf, type ProviderSettings } from './provider-settings.js';
import { checkGiven } from './setting-checks.js';
import { fieldOf, settingNames, settingsSpec, type SettingName, type SettingValues } from './setting-definitions.js';
import { NodeError } from '../errors/node-error.js';

/** The settings in force and where each comes from. */
export interface ResolvedSettings {
  readonly values: SettingValues;
  /** Of settings that were given; all others have their defaults. */
  readonly origins: ReadonlyMap<SettingName, GivenSetting>;
  /** Those of `config.providers`. */
  readonly providers: readonly ProviderSettings[];
  /** What was given of them. */
  readonly ofProviders: readonly GivenProviderSetting[];
  /** What was given and changes nothing, though whoever wrote it may think that it does. */
  readonly notes: readonly string[];
  /** What was given and is overridden by another place. */
  readonly overridden: readonly string[];
}

/** Thrown when the settings of a node are wrong; names every wrong one, where it stands, what was given and what is allowed. */
export class NodeSettingsError extends NodeError {
  constructor(readonly problems: readonly string[]) {
    super('SETTINGS_INVALID', `The settings are wrong in ${problems.length} place(s):\n${problems.join('\n')}`);
  }
}

/**
 * Chooses the value of each setting; the places come in the order of their precedence. An empty value is the same as none.
 *
 * @throws NodeSettingsError
 */
export function resolveSettings(places: readonly GivenSettings[]): ResolvedSettings {
  const errors = places.flatMap((place) => place.errors);
  const notes = places.flatMap((place) => place.notes);
  const overridden: string[] = [];
  const origins = new Map<SettingName, GivenSetting>();
  for (const { given } of places) {
    const here = new Map<SettingName, GivenSetting>();
    for (const each of given.map(trimmed).filter(({ text }) => text !== '')) {
      const first = here.get(each.setting);
      if (first === undefined) here.set(each.setting, each);
      else if (first.text !== each.text) errors.push(givenTwice(first, each));
    }
    for (const [setting, each] of here) {
      const chosen = origins.get(setting);
      if (chosen === undefined) origins.set(setting, each);
      else overridden.push(`${each.place}: ${each.name} is overridden by ${describeOrigin(chosen)}`);
    }
  }
  const parsed = parseConfig(
    Object.fromEntries(settingNames.map((name) => [name, fieldAsGiven(name, origins.get(name))])) as typeof settingsSpec,
    Object.fromEntries([...origins.values()].map(({ name, text }) => [name, text])),
  );
  if (!parsed.ok) {
    errors.push(...parsed.errors.map(({ field, message }) => problemOf(origins.get(field as SettingName), message)));
  }
  for (const given of origins.values()) {
    errors.push(...checkGiven(given).map((message) => problemOf(given, message)));
  }
  if (!origins.has('tracing.otlp.endpoint')) {
    const idle = [...origins.values()].filter(({ setting }) => setting.startsWith('tracing.'));
    notes.push(...idle.map((each) => problemOf(each, `${each.name} changes nothing: tracing.otlp.endpoint is not given`)));
  }
  const ofProviders = places.flatMap((place) => place.ofProviders ?? []);
  const found = providersOf(parsed.ok ? (parsed.value['config.providers'] ?? []) : [], ofProviders);
  if (parsed.ok) errors.push(...found.errors);
  if (!parsed.ok || errors.length > 0) throw new NodeSettingsError(errors);
  return { values: parsed.value, origins, providers: found.providers, ofProviders, notes, overridden };
}

/** Describes where a setting was given, for messages: `connect.conf:3 (httpPort)`. */
export function describeOrigin({ setting, name, place }: GivenSetting): string {
  return name === setting ? place : `${place} (${name})`;
}

/** Puts the place of a setting in front of a message about it. */
export function problemOf(given: GivenSetting | undefined, message: string): string {
  return given === undefined ? message : `${given.place}: ${message}`;
}

function trimmed(given: GivenSetting): GivenSetting {
  return isSecretField(fieldOf(given.setting)) ? given : { ...given, text: given.text.trim() };
}

function givenTwice(first: GivenSetting, second: GivenSetting): string {
  return `${second.place}: ${second.name} is given with another value than in ${describeOrigin(first)}: write it once`;
}

/** Returns the field under the name that it was given, so that messages say that name. */
function fieldAsGiven(name: SettingName, given: GivenSetting | undefined): Field {
  const field = fieldOf(name);
  return given === undefined || given.name === name ? field : { ...field, aliases: [given.name] };
}
