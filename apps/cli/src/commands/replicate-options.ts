import { FLOW_SETTINGS, type Settings } from '../replication/flow-settings.js';
import { CLUSTER_OPTIONS, clusterOf, type GivenCluster, readKey } from './cluster-options.js';
import { gatewayAddress } from './gateway.js';
import { parseOptions, UsageError } from './parse-options.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the words behind `sluice replicate` say. */
export interface ReplicateArguments {
  readonly config: string | undefined;
  /** `undefined`: not said. */
  readonly gateway: string | undefined;
  readonly name: string;
  readonly from: GivenCluster;
  readonly to: GivenCluster;
  readonly settings: Settings;
  readonly isTwoWay: boolean;
  readonly isDryRun: boolean;
  /** Replaces the settings of connectors that are there. */
  readonly isUpdate: boolean;
  readonly waitMs: number;
}

const settingOptions = Object.fromEntries(FLOW_SETTINGS.map((setting) => [optionOf(setting), { type: 'string' } as const]));
const WHOLE_SECONDS = /^\d{1,5}$/;

/** Reads the words behind `sluice replicate`. @throws UsageError */
export function replicateArguments(args: readonly string[], environment: Environment, warn: (text: string) => void): ReplicateArguments {
  const values = parseOptions('sluice replicate', args, {
    config: { type: 'string', short: 'c' },
    gateway: { type: 'string' },
    name: { type: 'string', default: 'replicate' },
    'two-way': { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
    wait: { type: 'string', default: '60' },
    set: { type: 'string', multiple: true, default: [] },
    ...CLUSTER_OPTIONS,
    ...settingOptions,
  });
  const { name, wait } = values;
  if (name === '') throw new UsageError('--name is empty');
  if (!WHOLE_SECONDS.test(wait)) throw new UsageError(`--wait is "${wait}"; allowed are whole seconds from 0 to 99999`);
  const settings = settingsOf(values, values.set);
  if (settings['topics'] === undefined && settings['topics.regex'] === undefined) {
    throw new UsageError('--topics or --topics-regex is missing: give the topics of the source');
  }
  return {
    config: values.config,
    gateway: values.gateway === undefined ? undefined : gatewayAddress(values.gateway),
    name,
    from: clusterOf('from', values, environment, warn),
    to: clusterOf('to', values, environment, warn),
    settings,
    isTwoWay: values['two-way'],
    isDryRun: values['dry-run'],
    isUpdate: values.update,
    waitMs: Number(wait) * 1000,
  };
}

/** Returns the settings with which a connector reaches a cluster, by suffix. Files of certificates are named: runners read them. */
export function clusterSettings({ url, keys, tls, vip }: GivenCluster): Settings {
  const given: Record<string, string | undefined> = {
    url,
    'access.key': keys === undefined ? undefined : readKey(keys.access),
    'secret.key': keys === undefined ? undefined : readKey(keys.secret),
    'tls.enable': tls === undefined ? undefined : 'true',
    'tls.ca.file': tls?.ca,
    'tls.cert.file': tls?.cert,
    'tls.key.file': tls?.key,
    vip: vip ? 'true' : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function settingsOf(values: Readonly<Record<string, unknown>>, set: readonly string[]): Settings {
  const settings: Record<string, string> = {};
  for (const setting of FLOW_SETTINGS) {
    const value = values[optionOf(setting)];
    if (typeof value === 'string') settings[setting] = value;
  }
  for (const text of set) {
    const at = text.indexOf('=');
    const key = text.slice(0, at);
    if (at < 1) throw new UsageError(`--set is "${text}"; allowed is KEY=VALUE, a setting of the connector`);
    if (settings[key] !== undefined) throw new UsageError(`${key} is given twice`);
    if (key === 'connector.class' || key.startsWith('source.cluster.') || key.startsWith('data.cluster.')) {
      throw new UsageError(`--set has ${key}, which --from, --to and their options say`);
    }
    settings[key] = text.slice(at + 1);
  }
  return settings;
}

function optionOf(setting: string): string {
  return setting.replaceAll('.', '-');
}
