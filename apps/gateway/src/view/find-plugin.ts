import { type PluginInfo } from '@sluice/core';

/** A plugin by its name or one of its aliases; names win. */
export function findPlugin(plugins: readonly PluginInfo[], className: string): PluginInfo | undefined {
  return (
    plugins.find((plugin) => plugin.name === className) ?? plugins.find((plugin) => plugin.aliases.includes(className))
  );
}
