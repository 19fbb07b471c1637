import type { ConnectorType } from './connector.js';

export const Role = {
  gateway: 'gateway',
  coordinator: 'coordinator',
  sourceRunner: 'source-runner',
  sinkRunner: 'sink-runner',
} as const;
export type Role = (typeof Role)[keyof typeof Role];

export interface PluginInfo {
  /** Connectors, what works on their records, and what resolves references in their settings; a package where its plugins could not be loaded. */
  readonly kind: ConnectorType | 'converter' | 'transform' | 'predicate' | 'config-provider' | 'package';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly version: string;
  /** One sentence about it. */
  readonly doc?: string;
  /** Of a package: why it is left out. */
  readonly error?: string;
}

/** A plugin that is a connector. */
export type ConnectorInfo = PluginInfo & { readonly kind: ConnectorType };

export function isConnectorInfo(plugin: PluginInfo): plugin is ConnectorInfo {
  return plugin.kind === 'source' || plugin.kind === 'sink';
}

/** What an operator says of a node's place, such as `{ zone: 'a' }`; a connector's placement asks for them. */
export type Labels = Readonly<Record<string, string>>;

/** A node that the log knows. */
export interface Member {
  readonly nodeId: string;
  /** Differs at every start of the process. */
  readonly incarnation: string;
  readonly role: Role;
  /** Relative share of tasks it can take. */
  readonly capacity: number;
  /** Names and aliases of the connectors it can run. */
  readonly plugins: readonly string[];
  readonly labels?: Labels;
  /** The `seq` of the entry that suspects it of being gone, if one does. */
  readonly suspectedAt?: number;
  readonly joinedAt: number;
}

/** More nodes than a cluster has. */
const MAX_KEPT_KEYS = 10_000;
/** By node id. A text that is put together again has to be hashed again at each look-up. */
const keptKeys = new Map<string, { readonly incarnation: string; readonly key: string }>();

/** One start of one node as a map key. */
export function memberKey({ nodeId, incarnation }: Pick<Member, 'nodeId' | 'incarnation'>): string {
  const kept = keptKeys.get(nodeId);
  if (kept?.incarnation === incarnation) return kept.key;
  const key = `${nodeId}@${incarnation}`;
  if (keptKeys.size >= MAX_KEPT_KEYS) keptKeys.clear();
  keptKeys.set(nodeId, { incarnation, key });
  return key;
}

/** Whether a node runs tasks. */
export function isRunner({ role }: Pick<Member, 'role'>): boolean {
  return role === Role.sourceRunner || role === Role.sinkRunner;
}

/** The role that runs tasks of a type. */
export function runnerRole(type: ConnectorType): Role {
  return type === 'source' ? Role.sourceRunner : Role.sinkRunner;
}

/** The same member, not suspected. */
export function trusted(member: Member): Member {
  const { nodeId, incarnation, role, capacity, plugins, labels, joinedAt } = member;
  return { nodeId, incarnation, role, capacity, plugins, ...(labels === undefined ? {} : { labels }), joinedAt };
}
