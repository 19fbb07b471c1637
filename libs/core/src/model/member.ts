import type { ConnectorType } from './connector.js';

export const Role = {
  gateway: 'gateway',
  coordinator: 'coordinator',
  sourceRunner: 'source-runner',
  sinkRunner: 'sink-runner',
} as const;
export type Role = (typeof Role)[keyof typeof Role];

export interface PluginInfo {
  readonly kind: ConnectorType | 'converter';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly version: string;
}

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
  /** The `seq` of the entry that suspects it of being gone, if one does. */
  readonly suspectedAt?: number;
  readonly joinedAt: number;
}
