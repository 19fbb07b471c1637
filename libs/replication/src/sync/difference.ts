import type { SyncAction } from './sync-action.js';

/** What each broker that answered holds, by broker name. */
export type ByBroker<T> = ReadonlyMap<string, T>;

/** What kind of thing a difference is about. */
export type SyncedKind = 'topic' | 'group' | 'user' | 'account';

/** What separates one thing at the target from the same thing at the source. */
export interface Difference {
  readonly kind: SyncedKind;
  /** The name at the target. */
  readonly name: string;
  /** The name at the source. */
  readonly from: string;
  /** Its settings at the source as text without secrets; undefined where the source does not have it. */
  readonly source: string | undefined;
  /** Its settings at the target as text without secrets; undefined where the target does not have it. */
  readonly target: string | undefined;
  /** The brokers of the source that have it. */
  readonly sourceBrokers: readonly string[];
  /** Changes that take nothing away: more queues, or the thing on a broker that lacks it while others have it. */
  readonly additions: readonly SyncAction[];
  /** Changes that replace what the target says. */
  readonly changes: readonly SyncAction[];
  /** Deletions of what the source does not have, with the part that each deletes as in `makes` of an action. */
  readonly removals: readonly { readonly part: string; readonly action: SyncAction }[];
  /** What cannot be copied, and why. */
  readonly notes: readonly string[];
}

/** Returns a thing's key in what a flow remembers. */
export function keyOf({ kind, name }: Pick<Difference, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

/** Returns the settings that brokers of a cluster have, as one text; undefined where none has the thing. */
export function combined(texts: readonly string[]): string | undefined {
  return texts.length === 0 ? undefined : [...new Set(texts)].sort().join('\n');
}

export function sortedByName<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Returns a map as text, in the order of its keys. */
export function mapText(map: ReadonlyMap<string, unknown>): string {
  return JSON.stringify(sortedByName(map));
}
