import { nearestName } from '@sluice/sdk';
import { originalKey, originalKeys } from './original-keys.js';
import type { FileEntry } from './properties-file.js';
import { type GivenProviderSetting, providerSettingOf, providerSettingOfVariable } from './provider-settings.js';
import { isSettingName, settingNames, variableOf, type SettingName } from './setting-definitions.js';

/** A setting as somebody wrote it. */
export interface GivenSetting {
  readonly setting: SettingName;
  /** The name that it was written under: its own, an original key, an environment variable, an option. */
  readonly name: string;
  readonly text: string;
  /** `connect.conf:3`, `environment` or `command line`. */
  readonly place: string;
}

/** What one place gives. Notes are for people: keys that change nothing, names that look like typing errors. */
export interface GivenSettings {
  readonly given: readonly GivenSetting[];
  readonly ofProviders?: readonly GivenProviderSetting[];
  readonly notes: readonly string[];
  readonly errors: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names the file of settings where no option does. */
export const FILE_VARIABLE = 'SLUICE_CONFIG_FILE';
/** The variable that Apache RocketMQ's tools read; it has the lowest precedence, as in Apache RocketMQ Connect. */
const ORIGINAL_VARIABLE = 'NAMESRV_ADDR';

/** Reads what a file gives: settings under their own names or original keys; every other name is an error. */
export function givenByFile(file: string, entries: readonly FileEntry[]): GivenSettings {
  const given: GivenSetting[] = [];
  const ofProviders: GivenProviderSetting[] = [];
  const notes: string[] = [];
  const errors: string[] = [];
  for (const { name, text, line } of entries) {
    const place = `${file}:${line}`;
    const original = originalKey(name);
    const ofProvider = providerSettingOf(name);
    if (ofProvider !== undefined) ofProviders.push({ ...ofProvider, name, text, place });
    else if (isSettingName(name)) given.push({ setting: name, name, text, place });
    else if (original === undefined) errors.push(`${place}: ${name} is not a known setting.${hint(name, FILE_NAMES)}`);
    else if ('refused' in original) errors.push(`${place}: ${name} is refused: ${original.refused}`);
    else if ('ignored' in original) notes.push(`${place}: ${name} is ignored: ${original.ignored}`);
    else given.push({ setting: original.honouredAs, name, text, place });
  }
  return { given, ofProviders, notes, errors };
}

const FILE_NAMES: readonly string[] = [...settingNames, ...Object.keys(originalKeys)];

/** Reads what the environment gives. Variables of others may begin alike, so only what looks like a typing error is named, as a note. */
export function givenByEnvironment(environment: Environment): GivenSettings {
  const place = 'environment';
  const variables = new Map(settingNames.map((setting) => [variableOf(setting), setting]));
  const given = [...variables].flatMap(([name, setting]) => {
    const text = environment[name];
    return text === undefined ? [] : [{ setting, name, text, place }];
  });
  const ofProviders = Object.entries(environment).flatMap(([name, text]) => {
    const ofProvider = variables.has(name) ? undefined : providerSettingOfVariable(name);
    return ofProvider === undefined || text === undefined ? [] : [{ ...ofProvider, name, text, place }];
  });
  const notes = Object.keys(environment)
    .filter(
      (name) =>
        name.startsWith('SLUICE_') && !variables.has(name) && name !== FILE_VARIABLE && providerSettingOfVariable(name) === undefined,
    )
    .flatMap((name) => {
      const meant = hint(name, variables.keys());
      return meant === '' ? [] : [`${place}: ${name} is not a known setting.${meant}`];
    });
  return { given, ofProviders, notes, errors: [] };
}

/** Reads what is used where nothing else is given. */
export function givenByOriginalEnvironment(environment: Environment): GivenSettings {
  const text = environment[ORIGINAL_VARIABLE];
  const place = 'environment';
  const given = text === undefined ? [] : [{ setting: 'namesrv', name: ORIGINAL_VARIABLE, text, place } as const];
  return { given, notes: [], errors: [] };
}

function hint(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`;
}
