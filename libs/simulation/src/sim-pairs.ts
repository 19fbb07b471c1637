import { type ClusterState, type Command, eventsIn, type LogEntry, type Pair, type PairTable } from '@sluice/core';

/** By connector: its pairs, in the order in which they were agreed upon. */
type Pairs = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Follows what connectors agree upon, by code of its own: from the requests of runners and their answers in the log, one after the other. What a
 * reader holds must be just that, up to where it has read.
 */
export class SimPairs {
  readonly #pairs = new Map<string, Map<string, string>>();
  readonly #done = new Set<string>();

  /** Carries out the requests that accepted entries answer. */
  static after(accepted: readonly LogEntry[], sent: ReadonlyMap<string, Command>): SimPairs {
    const pairs = new SimPairs();
    for (const event of accepted.flatMap((entry) => eventsIn(entry.event))) {
      if (event.kind !== 'command.done' || event.result.outcome.status !== 'done') continue;
      const command = sent.get(event.result.requestId);
      if (command !== undefined) pairs.#take(command);
    }
    return pairs;
  }

  /** What is wrong with the pairs that a reader holds. */
  differences(who: string, { pairs }: Pick<ClusterState, 'pairs'>): readonly string[] {
    const found = textOf(new Map(Array.from(pairs, ([name, { byKey }]) => [name, byKey])));
    const wanted = textOf(this.#pairs);
    return found === wanted ? [] : [`${who} holds the pairs ${found}, agreed upon are ${wanted}`];
  }

  #take(command: Command): void {
    if (command.kind !== 'pairs.extend' || this.#done.has(command.requestId)) return;
    this.#done.add(command.requestId);
    const own = this.#pairs.get(command.name) ?? new Map<string, string>();
    for (const [key, value] of command.pairs) {
      if (own.has(key) || [...own.values()].includes(value)) continue;
      own.set(key, value);
      this.#pairs.set(command.name, own);
    }
  }
}

/** A request was answered: its runner holds each pair that it asked for, or another one with its key or its value. */
export function wrongExtension(asked: readonly Pair[], held: PairTable | undefined): readonly string[] {
  const byKey = held?.byKey ?? new Map<string, string>();
  const values = new Set(byKey.values());
  return asked.filter(([key, value]) => !byKey.has(key) && !values.has(value)).map((pair) => `pair ${pair.join(' → ')} was lost`);
}

/** An accepted entry changes or drops no pair, and gives no value to two keys. */
export function wrongPairs(before: ClusterState, after: ClusterState): readonly string[] {
  const wrong: string[] = [];
  for (const [name, { byKey }] of before.pairs) {
    const now = after.pairs.get(name)?.byKey;
    for (const [key, value] of byKey) {
      if (now?.get(key) !== value) wrong.push(`pair ${key} of ${name} was ${value} and is ${now?.get(key) ?? 'gone'}`);
    }
  }
  for (const [name, { byKey }] of after.pairs) {
    if (new Set(byKey.values()).size !== byKey.size) wrong.push(`two pairs of ${name} have the same value`);
  }
  return wrong;
}

function textOf(pairs: Pairs): string {
  return JSON.stringify(Array.from(pairs, ([name, own]) => [name, [...own].sort()] as const).sort());
}
