/**
 * The clusters that a message came through, as the property `sluice-hops`: identities with commas between them, the first cluster first. A flow
 * adds its source and leaves out messages whose list names its target. The names are compared as a whole: `a` is not in `ab`.
 */

/** More clusters than a message passes on purpose; 16 identities of 34 characters take 560 bytes of each message. */
export const MAX_HOPS = 16;

/** What an identity may look like: the name of a topic without `%` and `|`. */
const IDENTITY = /^[a-zA-Z0-9_-]{1,127}$/;

/** Explains why a text cannot be the identity of a cluster, and what is allowed; `undefined` if it can. */
export function identityProblem(identity: string): string | undefined {
  if (IDENTITY.test(identity)) return undefined;
  return `Cluster identity ${JSON.stringify(identity)} cannot be in a list of hops; allowed are 1 to 127 letters, digits, "_" and "-"`;
}

/**
 * Reads the value of `sluice-hops`. Returns `undefined` for anything that {@link formatHops} does not write: an empty or repeated name, another
 * character, or more than {@link MAX_HOPS} names. Nobody knows then where the message has been.
 */
export function parseHops(value: string): readonly string[] | undefined {
  const hops = value.split(',');
  if (hops.length > MAX_HOPS || new Set(hops).size !== hops.length) return undefined;
  return hops.every((hop) => IDENTITY.test(hop)) ? hops : undefined;
}

/** Returns the value of `sluice-hops` for a list, which is not empty. */
export function formatHops(hops: readonly string[]): string {
  return hops.join(',');
}

/** Adds a cluster to a list that does not have it yet. Returns `undefined` where the list is full. */
export function addHop(hops: readonly string[], identity: string): readonly string[] | undefined {
  if (hops.includes(identity)) return hops;
  return hops.length < MAX_HOPS ? [...hops, identity] : undefined;
}
