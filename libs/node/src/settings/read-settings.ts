import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { parseArgs } from 'node:util';
import type { ReadText } from './cluster-credentials.js';
import { FILE_VARIABLE, givenByEnvironment, givenByFile, givenByOriginalEnvironment, type GivenSettings } from './given-settings.js';
import { parseProperties, SettingsFormatError } from './properties-file.js';
import { NodeSettingsError, resolveSettings, type ResolvedSettings } from './resolve-settings.js';
import { givenByOtelEnvironment } from './tracing-settings.js';
import { parseYamlSettings } from './yaml-file.js';

/** Where the settings of a process come from. */
export interface SettingsPlaces {
  /** Path of a file of settings; by default what `SLUICE_CONFIG_FILE` names, else there is none. */
  readonly file?: string;
  /** Id of the node from the command line. */
  readonly workerId?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readText?: ReadText;
}

/** What a role is started with. */
export interface RoleArguments {
  readonly file?: string;
  readonly workerId?: string;
  /** Show the settings in force instead of running. */
  readonly printConfig: boolean;
}

/** Reads a text file in UTF-8, or in ISO 8859-1 where it is not UTF-8, as properties files of Java may be. */
export const readTextFile: ReadText = (path) => {
  const bytes = readFileSync(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
};

/** Reads `[-c | --config FILE] [--workerId ID] [--print-config]`. @throws NodeSettingsError */
export function readRoleArguments(args: readonly string[]): RoleArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', short: 'c' },
        workerId: { type: 'string' },
        'print-config': { type: 'boolean', default: false },
      },
    });
    const { config: file, workerId, 'print-config': printConfig } = values;
    return { ...(file === undefined ? {} : { file }), ...(workerId === undefined ? {} : { workerId }), printConfig };
  } catch (error) {
    throw new NodeSettingsError([`command line: ${(error as Error).message}`]);
  }
}

/**
 * Reads all settings. The command line overrides the environment, that the file, and that the defaults.
 *
 * @throws NodeSettingsError naming all that is wrong.
 */
export function readSettings({ file, workerId, environment, readText = readTextFile }: SettingsPlaces): ResolvedSettings {
  const variable = environment[FILE_VARIABLE];
  const path = file ?? (variable === '' ? undefined : variable);
  const places = [
    givenByCommandLine(workerId),
    givenByEnvironment(environment),
    ...(path === undefined ? [] : [readFile(path, readText)]),
    givenByOriginalEnvironment(environment),
  ];
  const isTraced = places.some(({ given }) => given.some(({ setting, text }) => setting === 'tracing.otlp.endpoint' && text !== ''));
  return resolveSettings([...places, givenByOtelEnvironment(environment, isTraced)]);
}

function givenByCommandLine(workerId: string | undefined): GivenSettings {
  const name = '--workerId';
  const given = workerId === undefined ? [] : ([{ setting: 'node.id', name, text: workerId, place: 'command line' }] as const);
  return { given, notes: [], errors: [] };
}

function readFile(path: string, readText: ReadText): GivenSettings {
  try {
    const text = readText(path);
    const isYaml = ['.yaml', '.yml'].includes(extname(path).toLowerCase());
    return givenByFile(path, isYaml ? parseYamlSettings(text) : parseProperties(text));
  } catch (error) {
    const place = error instanceof SettingsFormatError ? `${path}:${error.line}` : path;
    const reason = error instanceof SettingsFormatError ? error.reason : (error as Error).message;
    return { given: [], notes: [], errors: [`${place}: ${reason}`] };
  }
}
