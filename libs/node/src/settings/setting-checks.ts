import { parseLabels } from '@sluice/core';
import { HIDDEN_VALUE } from '@sluice/sdk';
import { AddressError, hostOf, NO_PROXY, parseAddresses } from './cluster-address.js';
import type { GivenSetting } from './given-settings.js';
import type { SettingName } from './setting-definitions.js';
import { endpointProblem, parseHeaders } from './tracing-settings.js';

/** Returns what is wrong with a setting that was given, without its place. */
type Check = (given: GivenSetting) => readonly string[];

/** What the types of the spec cannot say about single settings. */
const CHECKS: Partial<Readonly<Record<SettingName, Check>>> = {
  namesrv: addresses('rocketmq'),
  'source.namesrv': addresses('rocketmq'),
  'sink.namesrv': addresses('rocketmq'),
  grpc: checkProxies,
  labels: ({ name, text }) => {
    const labels = parseLabels(name, text);
    return labels.ok ? [] : labels.errors.map(({ message }) => message);
  },
  'tracing.otlp.endpoint': ({ name, text }) => {
    const problem = endpointProblem(text);
    return problem === undefined ? [] : [invalidSetting(name, problem.shown, problem.reason)];
  },
  'tracing.otlp.headers': ({ name, text }) =>
    parseHeaders(text) === undefined
      ? [invalidSetting(name, HIDDEN_VALUE, 'Expected name=value, separated by commas, with values in percent encoding')]
      : [],
};

/** Returns what is wrong with a setting, without its place. */
export function checkGiven(given: GivenSetting): readonly string[] {
  return CHECKS[given.setting]?.(given) ?? [];
}

/** Checks the addresses of Proxies. A host named as the word for no Proxy is more likely that word, with a capital or beside an address. */
function checkProxies(given: GivenSetting): readonly string[] {
  const { name, text } = given;
  if (text === NO_PROXY) return [];
  const problems = addresses('rocketmq+grpc')(given);
  if (problems.length > 0) return problems;
  const isMeant = parseAddresses(text, 'rocketmq+grpc').some((each) => hostOf(each).toLowerCase() === NO_PROXY);
  return isMeant ? [invalidSetting(name, text, `Expected ${NO_PROXY} alone, in small letters, or addresses`)] : [];
}

function addresses(scheme: 'rocketmq' | 'rocketmq+grpc'): Check {
  return ({ name, text }) => {
    try {
      parseAddresses(text, scheme);
      return [];
    } catch (error) {
      if (!(error instanceof AddressError)) throw error;
      // What stands before an @ may be a password.
      return [invalidSetting(name, text.includes('@') ? HIDDEN_VALUE : text, error.message)];
    }
  };
}

/** Describes a value that a setting cannot have. */
export function invalidSetting(name: string, text: string, reason: string): string {
  return `Invalid value ${text} for configuration ${name}: ${reason}`;
}
