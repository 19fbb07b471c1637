import { isVersion } from '@sluice/core';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import type { PluginSet } from './plugin-registry.js';

/** What a plugin needs beside its description: its kinds, and the names of its functions. */
const LISTS = {
  connectors: { kinds: ['source', 'sink'], functions: ['taskConfigs', 'createTask'] },
  converters: { kinds: ['converter'], functions: ['create'] },
  transforms: { kinds: ['transform'], functions: ['create'] },
  predicates: { kinds: ['predicate'], functions: ['create'] },
} as const satisfies Readonly<Record<keyof PluginSet, { readonly kinds: readonly string[]; readonly functions: readonly string[] }>>;

const NAMES = Object.keys(LISTS) as readonly (keyof PluginSet)[];

/**
 * Returns the plugins that a module exports as arrays: `connectors`, `converters`, `transforms`, `predicates`.
 *
 * @throws ConnectError where there is none, or one lacks what the runtime calls; the runtime relies on the rest only when it is used
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
  if (!Array.isArray(aliases) || !aliases.every((alias) => typeof alias === 'string')) return 'aliases must be an array of class names';
  if (typeof spec !== 'object' || spec === null) return 'spec must be an object of settings';
  const missing = functions.find((each) => typeof given[each] !== 'function');
  return missing === undefined ? undefined : `${missing} must be a function`;
}

function invalid(message: string): ConnectError {
  return new ConnectError(ConnectErrorCode.configInvalid, message);
}
