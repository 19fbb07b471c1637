import type { Config } from './connector.js';

/** The values of `assignment.strategy`. */
export const ASSIGNMENT_STRATEGY_NAMES = ['sticky', 'average', 'consistent-hash'] as const;
export type AssignmentStrategyName = (typeof ASSIGNMENT_STRATEGY_NAMES)[number];

/**
 * Settings of the cluster as a whole. They stand in the log (`settings.changed`), not in the environment of a coordinator: whoever leads
 * decides alike, and every node can tell what holds.
 */
export interface ClusterSettings {
  /** `assignment.strategy` */
  readonly assignmentStrategy: AssignmentStrategyName;
  /** `rebalance.interval.ms`: the assignment is looked at again after this time though nothing changed. */
  readonly rebalanceIntervalMs: number;
}

const DEFAULT_REBALANCE_INTERVAL_MS = 60_000;
const MIN_REBALANCE_INTERVAL_MS = 1_000;
const MAX_REBALANCE_INTERVAL_MS = 24 * 3_600_000;

/** What the stored texts mean; what is missing or was written by a newer build has its default. */
export function clusterSettings(stored: Config): ClusterSettings {
  return {
    assignmentStrategy: strategyOf(stored['assignment.strategy']) ?? 'sticky',
    rebalanceIntervalMs: intervalOf(stored['rebalance.interval.ms']) ?? DEFAULT_REBALANCE_INTERVAL_MS,
  };
}

/** What is wrong with settings that are to be stored; names field, value and what is allowed. Undefined if nothing is. */
export function settingsError(given: Readonly<Record<string, string | null>>): string | undefined {
  for (const [field, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, field) ? rules[field as keyof typeof rules] : undefined;
    if (rule === undefined) return `Unknown setting ${field}; there are: ${Object.keys(rules).join(', ')}`;
    if (value !== null && rule.read(value) === undefined) {
      return `Invalid value ${JSON.stringify(value)} for setting ${field}: allowed are ${rule.allowed}`;
    }
  }
  return undefined;
}

/** Stored settings after a change. */
export function changedSettings(stored: Config, change: Readonly<Record<string, string | null>>): Config {
  const merged = { ...stored, ...change };
  return Object.fromEntries(Object.entries(merged).filter((pair): pair is [string, string] => pair[1] !== null));
}

function strategyOf(text: string | undefined): AssignmentStrategyName | undefined {
  return ASSIGNMENT_STRATEGY_NAMES.find((name) => name === text);
}

function intervalOf(text: string | undefined): number | undefined {
  const value = text !== undefined && /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= MIN_REBALANCE_INTERVAL_MS && value <= MAX_REBALANCE_INTERVAL_MS ? value : undefined;
}

const rules = {
  'assignment.strategy': { read: strategyOf, allowed: ASSIGNMENT_STRATEGY_NAMES.join(', ') },
  'rebalance.interval.ms': {
    read: intervalOf,
    allowed: `${MIN_REBALANCE_INTERVAL_MS} to ${MAX_REBALANCE_INTERVAL_MS} milliseconds`,
  },
} as const;
