import { isVersion } from '@sluice/core';
import { type ConfigSpec, ConnectError, ConnectErrorCode, describeSpec } from '@sluice/sdk';
import type { PluginSet } from './plugin-registry.js';

/** What a plugin needs beside its description: its kinds, and the names of its functions. */
const LISTS = {
  connectors: { kinds: ['source', 'sink'], functions: ['taskConfigs', 'createTask'] },
  converters: { kinds: ['converter'], functions: ['create'] },
  transforms: { kinds: ['transform'], functions: ['create'] },
  predicates: { kinds: ['predicate'], functions: ['create'] },
  configProviders: { kinds: ['config-provider'], functions: ['create'] },
} as const satisfies Readonly<Record<keyof PluginSet, { readonly kinds: readonly string[]; readonly functions: readonly string[] }>>;

const NAMES = Object.keys(LISTS) as readonly (keyof PluginSet)[];

/** What the description of a setting says in one of a few words. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  type: ['string', 'int', 'long', 'double', 'boolean', 'list', 'password', 'class'],
  importance: ['high', 'medium', 'low'],
};
const TEXTS = ['doc', 'group', 'width', 'displayName', 'separators'];
const TEXT_LISTS = ['aliases', 'dependents', 'oneOf'];

/**
 * Returns the plugins that a module exports as arrays: `connectors`, `converters`, `transforms`, `predicates`, `configProviders`.
 *
 * @throws ConnectError where there is none, one lacks what the runtime calls, or its settings cannot be read
 */
export function pluginsOf(module: string, exports: unknown): PluginSet {
  const given = exports as Readonly<Record<string, unknown>>;
  const set: Record<string, readonly unknown[]> = {};
  for (const list of NAMES) {
    const plugins = given[list] ?? [];
    if (!Array.isArray(plugins)) throw invalid(`${module}: ${list} must be an array of plugins`);
    for (const [index, plugin] of plugins.entries()) {
      const wrong = wrongPart(list, plugin);
      if (wrong !== undefined) throw invalid(`${module}: ${list}[${index}].${wrong}`);
    }
    set[list] = plugins;
  }
  if (NAMES.every((list) => set[list]?.length === 0)) {
    throw invalid(
      `${module} must export an array with at least one plugin, called ${NAMES.slice(0, -1).join(', ')} or ${NAMES.at(-1) ?? ''}`,
    );
  }
  return set as unknown as PluginSet;
}

/** Returns the text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function wrongPart(list: keyof PluginSet, plugin: unknown): string | undefined {
  const { kinds, functions } = LISTS[list];
  const given = (plugin ?? {}) as Readonly<Record<string, unknown>>;
  const { kind, name, version, spec, aliases } = given;
  if (typeof kind !== 'string' || !(kinds as readonly string[]).includes(kind)) {
    return `kind is ${JSON.stringify(kind)}; it must be ${kinds.map((each) => `"${each}"`).join(' or ')}`;
  }
  if (typeof name !== 'string' || name === '') return `name is ${JSON.stringify(name)}; it must be a class name`;
  if (typeof version !== 'string' || !isVersion(version)) {
    return `version is ${JSON.stringify(version)}; it must be a semantic version such as 1.2.0`;
  }
  if (!isTextList(aliases)) return 'aliases must be an array of class names';
  if (!isObject(spec)) return 'spec must be an object of settings';
  try {
    for (const [field, description] of Object.entries(spec)) {
      const wrong = wrongField(description);
      if (wrong !== undefined) return `spec[${JSON.stringify(field)}]${wrong}`;
    }
    describeSpec(spec as ConfigSpec);
  } catch (error) {
    return `spec cannot be read: ${messageOf(error)}`;
  }
  if (list === 'connectors' && given['records'] !== undefined && given['records'] !== 'raw') {
    return `records is ${JSON.stringify(given['records'])}; it must be "raw", or left out`;
  }
  const missing = functions.find((each) => typeof given[each] !== 'function');
  return missing === undefined ? undefined : `${missing} must be a function`;
}

function wrongField(field: unknown): string | undefined {
  if (!isObject(field)) return ' must be an object that describes a setting';
  for (const [name, allowed] of Object.entries(WORDS)) {
    const given = field[name];
    if (typeof given !== 'string' || !allowed.includes(given))
      return `.${name} is ${JSON.stringify(given)}; it must be ${allowed.join(', ')}`;
  }
  const noText = TEXTS.find((name) => field[name] !== undefined && typeof field[name] !== 'string');
  if (noText !== undefined) return `.${noText} must be a text`;
  const lists = field['type'] === 'list' ? [...TEXT_LISTS, 'default'] : TEXT_LISTS;
  const noList = lists.find((name) => field[name] !== undefined && !isTextList(field[name]));
  if (noList !== undefined) return `.${noList} must be an array of texts`;
  return isPattern(field['pattern']) ? undefined : '.pattern must be a regular expression';
}

function isPattern(given: unknown): boolean {
  if (given === undefined) return true;
  try {
    return typeof given === 'string' && new RegExp(`^(?:${given})$`, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

function isTextList(given: unknown): boolean {
  return Array.isArray(given) && given.every((each) => typeof each === 'string');
}

function isObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null;
}

function invalid(message: string): ConnectError {
  return new ConnectError(ConnectErrorCode.configInvalid, message);
}
