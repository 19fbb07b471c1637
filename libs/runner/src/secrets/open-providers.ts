import { NodeSettingsError, type ProviderSettings } from '@sluice/node';
import { type ConfigProvider, type ConfigProviderPlugin, nearestName, parseConfig } from '@sluice/sdk';

/** Where the plugins of config providers are found. */
export interface ProviderTable {
  find(className: string): ConfigProviderPlugin | undefined;
  names(): readonly string[];
}

/**
 * Makes the config providers that a runner's settings name, by the names that references call them.
 *
 * @throws NodeSettingsError naming every class that is not there, and every wrong setting
 */
export function openProviders(settings: readonly ProviderSettings[], table: ProviderTable): ReadonlyMap<string, ConfigProvider> {
  const problems: string[] = [];
  const providers = new Map<string, ConfigProvider>();
  for (const { name, className, params } of settings) {
    const prefix = `config.providers.${name}`;
    const plugin = table.find(className);
    if (plugin === undefined) {
      problems.push(
        `Invalid value ${className} for configuration ${prefix}.class: Available config providers are: ${table.names().join(', ')}`,
      );
      continue;
    }
    const wrong = problemsOf(plugin, params).map((problem) => `${prefix}: ${problem}`);
    problems.push(...wrong);
    if (wrong.length > 0) continue;
    try {
      providers.set(name, plugin.create(params));
    } catch (error) {
      problems.push(`${prefix}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length > 0) throw new NodeSettingsError(problems);
  return providers;
}

function problemsOf(plugin: ConfigProviderPlugin, params: ProviderSettings['params']): readonly string[] {
  const known = Object.entries(plugin.spec).flatMap(([field, { aliases = [] }]) => [field, ...aliases]);
  const unknown = Object.keys(params).filter((param) => !known.includes(param));
  if (unknown.length > 0) {
    return unknown.map((param) => {
      const nearest = nearestName(param, known);
      const allowed = known.length === 0 ? 'It has no settings' : `Its settings are: ${known.join(', ')}`;
      return `param.${param} is not a setting of ${plugin.name}.${nearest === undefined ? '' : ` Did you mean param.${nearest}?`} ${allowed}`;
    });
  }
  const parsed = parseConfig(plugin.spec, params);
  if (!parsed.ok) return parsed.errors.map(({ message }) => message);
  return (plugin.validate?.(params) ?? []).map(({ message }) => message);
}
