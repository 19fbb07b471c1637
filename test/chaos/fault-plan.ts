import { SeededRandom } from './seeded-random.js';

/** `kill`: SIGKILL. `stop`: SIGSTOP, and SIGCONT after a while. `terminate`: SIGTERM. `restart`: of the broker, in good order. */
export type FaultKind = 'kill' | 'stop' | 'terminate' | 'restart';

/** `leader` is whatever coordinator leads when the fault is due. */
export type FaultTarget = 'source-runner' | 'sink-runner' | 'leader' | 'broker';

/** What may happen to whom. */
export interface FaultCard {
  readonly kind: FaultKind;
  readonly target: FaultTarget;
}

export interface PlannedFault extends FaultCard {
  /** Milliseconds after the beginning of the faults. */
  readonly atMs: number;
  /** Which runner of its role, from 1; 0 for the leader and the broker. */
  readonly index: number;
  /** How long the process stays dead before it is started again, or stays suspended; 0 for the broker. */
  readonly awayMs: number;
}

export interface FaultPlanOptions {
  readonly seed: number;
  /** No fault begins later than this, in milliseconds. */
  readonly durationMs: number;
  /** Runners of each role. */
  readonly runners: number;
  /** How long a process stays suspended, in milliseconds. */
  readonly standstillMs: number;
  /** From one fault to the next, in milliseconds, unless two come together. */
  readonly spacingMs: { readonly least: number; readonly most: number };
  /** Of a fault, to come together with the one before it. */
  readonly togetherChance: number;
  /** All of them are played before one comes again. */
  readonly cards: readonly FaultCard[];
}

/** Everything that the chaos run does. */
export const ALL_CARDS: readonly FaultCard[] = [
  ...(['source-runner', 'sink-runner', 'leader'] as const).flatMap((target) =>
    (['kill', 'stop', 'terminate'] as const).map((kind) => ({ kind, target })),
  ),
  { kind: 'restart', target: 'broker' },
];

/** A dead process is started again within this time: sometimes before its session ends, sometimes after. */
const awayMs = { least: 500, most: 12_000 };
/** Two faults that come together are at most this far apart. */
const TOGETHER_MS = 1500;
/** After it is back a node is left alone for a while, to get ready. */
const REST_MS = 8000;

/**
 * What happens when to whom, the same for the same options. A plan spares a runner that is down, and one of each role always runs. Faults of
 * cards that find nobody are played later.
 */
export function planFaults(options: FaultPlanOptions): readonly PlannedFault[] {
  const random = new SeededRandom(options.seed);
  const busyUntil = new Map<string, number>();
  const faults: PlannedFault[] = [];
  let deck: FaultCard[] = [];
  let atMs = random.between(0, TOGETHER_MS);
  while (atMs <= options.durationMs) {
    if (deck.length === 0) deck = random.shuffled(options.cards);
    const place = deck.findIndex((card) => freeIndexes(card, atMs, busyUntil, options).length > 0);
    const [card] = place < 0 ? [] : deck.splice(place, 1);
    if (card !== undefined) {
      const index = random.shuffled(freeIndexes(card, atMs, busyUntil, options))[0] ?? 0;
      const fault = { ...card, index, atMs, awayMs: awayTime(card, random, options) };
      faults.push(fault);
      busyUntil.set(nameOf(card.target, index), atMs + fault.awayMs + REST_MS);
    }
    const { least, most } = options.spacingMs;
    const isTogether = random.next() < options.togetherChance;
    atMs += isTogether ? random.between(1, TOGETHER_MS) : random.between(least, most);
  }
  return faults;
}

function awayTime({ kind }: FaultCard, random: SeededRandom, { standstillMs }: FaultPlanOptions): number {
  switch (kind) {
    case 'restart':
      return 0;
    case 'stop':
      return standstillMs;
    case 'kill':
    case 'terminate':
      return random.between(awayMs.least, awayMs.most);
  }
}

/** Whom of its targets a card can strike now. */
function freeIndexes(
  { target }: FaultCard,
  atMs: number,
  busyUntil: ReadonlyMap<string, number>,
  { runners }: FaultPlanOptions,
): readonly number[] {
  const indexes = target === 'leader' || target === 'broker' ? [0] : numbersTo(runners);
  const free = indexes.filter((index) => (busyUntil.get(nameOf(target, index)) ?? -Infinity) <= atMs);
  const isAnyoneLeft = indexes.length === 1 || free.length > 1;
  return isAnyoneLeft ? free : [];
}

function numbersTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

function nameOf(target: FaultTarget, index: number): string {
  return `${target}-${index}`;
}
