/** Begins the names of the topics that distinguish clusters; what follows is when one was made, and random. */
const IDENTITY_TOPIC = /^sluice-identity-[0-9a-z]{17}$/;

/**
 * Finds the identity of a cluster among the names of its topics: of several the smallest counts.
 *
 * @throws Error where no flow has ever touched the cluster
 */
export function identityAmong(topics: readonly string[], url: string): string {
  const [identity] = topics.filter((topic) => IDENTITY_TOPIC.test(topic)).sort();
  if (identity !== undefined) return identity;
  throw new Error(`Cluster ${url} has no topic sluice-identity-…: no flow has copied from or to it`);
}
