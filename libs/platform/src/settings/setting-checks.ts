import { parseLabels } from '@sluice/core';
import { converterByName, converterPlugins } from '@sluice/runtime';
import { hiddenValue } from '@sluice/sdk';
import { AddressError, parseAddresses } from './cluster-address.js';
import type { GivenSetting } from './given-settings.js';
import type { SettingName } from './settings-spec.js';

type Check = (given: GivenSetting) => readonly string[];

/** What the types of the spec cannot say about single settings. */
const checks: Partial<Readonly<Record<SettingName, Check>>> = {
  namesrv: addresses('rocketmq'),
  'source.namesrv': addresses('rocketmq'),
  'sink.namesrv': addresses('rocketmq'),
  grpc: addresses('rocketmq+grpc'),
  labels: ({ name, text }) => {
    const labels = parseLabels(name, text);
    return labels.ok ? [] : labels.errors.map(({ message }) => message);
  },
  'key.converter': converter,
  'value.converter': converter,
};

/** What is wrong with a setting, without its place. */
export function checkGiven(given: GivenSetting): readonly string[] {
  return checks[given.setting]?.(given) ?? [];
}

function addresses(scheme: 'rocketmq' | 'rocketmq+grpc'): Check {
  return ({ name, text }) => {
    try {
      parseAddresses(text, scheme);
      return [];
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      // What stands before an @ may be a password.
      return [invalid(name, text.includes('@') ? hiddenValue : text, error.message)];
    }
  };
}

function converter({ name, text }: GivenSetting): readonly string[] {
  if (converterByName(text) !== undefined) return [];
  const names = converterPlugins.map((plugin) => plugin.name).join(', ');
  return [invalid(name, text, `Available converters are: ${names}`)];
}

function invalid(name: string, text: string, reason: string): string {
  return `Invalid value ${text} for configuration ${name}: ${reason}`;
}
