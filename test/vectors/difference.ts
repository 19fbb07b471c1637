/** Where Sluice differs from Kafka Connect on purpose. */
export interface Difference {
  /** Matches the ids of vectors, all of which must differ. */
  readonly ids: RegExp;
  readonly why: string;
}

/** Matches these ids alone, each of which begins with the prefix. */
export function exactly(prefix: string, rest: readonly string[]): RegExp {
  return new RegExp(`^(?:${rest.map((each) => (prefix + each).replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join('|')})$`);
}
