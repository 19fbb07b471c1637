import { invalidSetting, type SettingChecks } from '@sluice/node';
import { converterByName, converterPlugins } from '@sluice/runtime';

/** What only a runner can check of its settings. */
export const settingChecks: SettingChecks = { 'key.converter': checkConverter, 'value.converter': checkConverter };

function checkConverter({ name, text }: { readonly name: string; readonly text: string }): readonly string[] {
  if (converterByName(text) !== undefined) return [];
  const names = converterPlugins.map((plugin) => plugin.name).join(', ');
  return [invalidSetting(name, text, `Available converters are: ${names}`)];
}
