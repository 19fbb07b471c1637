/** Settings of a connector. */
export type Settings = Readonly<Record<string, string>>;

/** The class of the connector that copies topics of another cluster. */
export const FLOW_CLASS = 'RocketMQSourceConnector';

/** Settings of a flow that have an option each: `--` and the name, with dashes for full stops. */
export const FLOW_SETTINGS = [
  'topics',
  'topics.regex',
  'topics.exclude',
  'topics.include.retry',
  'topics.include.dlq',
  'topic.rename',
  'topic.rename.prefix',
  'topic.creation.enable',
  'topics.refresh.interval.ms',
  'start.from',
  'start.timestamp',
  'start.offsets',
  'source.change.policy',
  'born.time',
  'task.granularity',
  'tasks.max',
  'source.group',
] as const;

/** A connector that is to be there. */
export interface WantedConnector {
  readonly name: string;
  readonly config: Settings;
}

/** How a connector that is there differs from the one that is wanted. */
export interface SettingsDifference {
  /** Names of settings, sorted, without their values: they may be secret. */
  readonly names: readonly string[];
  /** Secrets, which nobody can compare: answers hide them. */
  readonly hidden: readonly string[];
}

/** What answers have in place of a secret. */
const HIDDEN = /^\*+$/;

/** Compares the settings of a connector that is there, as a gateway shows them, with the wanted ones. */
export function differenceOf(present: Settings, { name, config }: WantedConnector): SettingsDifference {
  const wanted: Settings = { name, ...config };
  const all = [...new Set([...Object.keys(present), ...Object.keys(wanted)])].filter((key) => key !== 'name').sort();
  const hidden = all.filter((key) => key in wanted && HIDDEN.test(present[key] ?? ''));
  return { names: all.filter((key) => present[key] !== wanted[key] && !hidden.includes(key)), hidden };
}

/** Makes the connectors of a flow: one that copies from `from` to `to`, and with `isTwoWay` one that copies back. */
export function connectorsOf(flow: {
  readonly name: string;
  /** Settings of the clusters by suffix, as `url` or `access.key`. */
  readonly from: Settings;
  readonly to: Settings;
  readonly settings: Settings;
  readonly isTwoWay: boolean;
}): readonly WantedConnector[] {
  const { name, from, to, settings, isTwoWay } = flow;
  const connector = (called: string, source: Settings, target: Settings): WantedConnector => ({
    name: called,
    config: { 'connector.class': FLOW_CLASS, ...prefixed('source.cluster.', source), ...prefixed('data.cluster.', target), ...settings },
  });
  const there = connector(name, from, to);
  return isTwoWay ? [there, connector(`${name}-back`, to, from)] : [there];
}

function prefixed(prefix: string, settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).map(([suffix, value]) => [prefix + suffix, value]));
}
