import type { Role } from '@sluice/core';
import { HIDDEN_VALUE, hideEmbedded, isSecretField } from '@sluice/sdk';
import { valuesInForce } from './node-settings.js';
import { describeOrigin, type ResolvedSettings } from './resolve-settings.js';
import { shownProviderSettings } from './provider-settings.js';
import { fieldOf, settingNames } from './setting-definitions.js';

/** Lists the settings in force on a role, one a line with where it comes from, and what was given and is overridden. Hides secrets. */
export function printSettings(role: Role, resolved: ResolvedSettings): string {
  const values = valuesInForce(role, resolved.values);
  const lines = settingNames
    .filter((name) => fieldOf(name).roles?.includes(role) !== false)
    .map((name) => {
      const given = resolved.origins.get(name);
      const value = values[name];
      const shown = value === undefined ? '' : isSecretField(fieldOf(name)) ? HIDDEN_VALUE : hideEmbedded(String(value));
      const otherwise = value === undefined ? 'not set' : 'default';
      return { setting: `${name} = ${shown}`, origin: given === undefined ? otherwise : describeOrigin(given) };
    });
  if (fieldOf('config.providers').roles?.includes(role) !== false) lines.push(...shownProviderSettings(resolved.ofProviders));
  const width = Math.max(...lines.map(({ setting }) => setting.length));
  return [
    ...lines.map(({ setting, origin }) => `${setting.padEnd(width)}  # ${origin}`),
    ...[...resolved.notes, ...resolved.overridden].map((note) => `# ${note}`),
  ].join('\n');
}
