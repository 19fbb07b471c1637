import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { builtPath, mutated, writeBuilt, type Sources } from './core-copy.js';
import type { Mutant } from './mutant.js';
import { failedSeed, failedTests, type SeedFailure, type SeedRange } from './trials.js';

/** Folder of the code as it is, which must pass where its mutants fail. */
const UNCHANGED = 'unchanged';
/** Seeds that the unchanged code has to pass here: enough to see that it runs. */
const UNCHANGED_SEEDS = 3;

/** `invalid`: the mutation does not fit the source any more, or its code does not run. */
export interface Verdict {
  readonly outcome: 'caught' | 'survived' | 'invalid';
  /** The violated invariant or the failed tests; for `invalid` what has to be repaired. */
  readonly details: string;
  /** The seed that fails, where it was a seed. */
  readonly seed?: number;
}

export interface Verdicts {
  readonly of: ReadonlyMap<Mutant, Verdict>;
  /** What the code as it is fails. */
  readonly unchanged: readonly string[];
}

export interface TryOptions {
  /** An empty folder; it is not cleared. */
  readonly root: string;
  /** Highest seed of the simulation to be run. */
  readonly seeds: number;
  readonly signal: AbortSignal;
}

/** Builds each mutant of the sources and lets the simulation, or the specs that it names, find it. */
export async function tryMutants(sources: Sources, mutants: readonly Mutant[], { root, seeds, signal }: TryOptions): Promise<Verdicts> {
  const verdicts = new Map<Mutant, Verdict>();
  const unchanged: string[] = [];
  const truth = join(root, UNCHANGED);
  const specs = [...new Set(mutants.flatMap((mutant) => mutant.specs ?? []))];
  await writeBuilt(truth, sources, '.', specs);
  const folders = new Map<Mutant, string>();
  for (const [index, mutant] of mutants.entries()) {
    const folder = join(root, `mutant-${index}`);
    try {
      await writeBuilt(folder, mutated(sources, mutant), `../${UNCHANGED}`, mutant.specs);
      folders.set(mutant, folder);
    } catch (error) {
      verdicts.set(mutant, invalid(error));
    }
  }
  const bySpecs = [...folders].filter(([{ specs: named }]) => named !== undefined);
  const trySpecs = async (): Promise<void> => {
    const paths = bySpecs.flatMap(([mutant, folder]) => specPaths(folder, mutant.specs));
    const failed = await failedTests(root, [...specPaths(truth, specs), ...paths], signal);
    unchanged.push(...specPaths(truth, specs).flatMap((path) => failed.get(path) ?? [`${path} was not run`]));
    for (const [mutant, folder] of bySpecs) verdicts.set(mutant, ofSpecs(specPaths(folder, mutant.specs), failed));
  };
  const bySeeds = [...folders].filter(([{ specs: named }]) => named === undefined);
  const trySeeds = bySeeds.map(([mutant, folder]) => async (): Promise<void> => {
    verdicts.set(mutant, await ofSeeds(folder, { seeds, first: mutant.seed }, signal).catch(invalid));
  });
  const tryUnchanged = async (): Promise<void> => {
    const failed = await failedSeed(truth, { seeds: UNCHANGED_SEEDS }, signal);
    if (failed !== undefined) unchanged.push(sayingOf(failed));
  };
  await inLanes([trySpecs, tryUnchanged, ...trySeeds], availableParallelism());
  return { of: verdicts, unchanged };
}

async function ofSeeds(folder: string, range: SeedRange, signal: AbortSignal): Promise<Verdict> {
  const failed = await failedSeed(folder, range, signal);
  if (failed !== undefined) return { outcome: 'caught', details: sayingOf(failed), seed: failed.seed };
  return { outcome: 'survived', details: `seeds 1 to ${range.seeds} of the simulation pass` };
}

function sayingOf({ seed, wrong }: SeedFailure): string {
  return `seed ${seed}: ${wrong}`;
}

/** All specs that a mutant names have to find it. */
function ofSpecs(paths: readonly string[], failed: ReadonlyMap<string, readonly string[]>): Verdict {
  const blind = paths.filter((path) => (failed.get(path) ?? []).length === 0);
  if (blind.length > 0) return { outcome: 'survived', details: `no test fails in ${blind.join(', ')}` };
  return { outcome: 'caught', details: paths.flatMap((path) => failed.get(path) ?? []).join('; ') };
}

function specPaths(folder: string, specs: readonly string[] = []): readonly string[] {
  return specs.map((path) => join(folder, builtPath(path)));
}

function invalid(error: unknown): Verdict {
  return { outcome: 'invalid', details: (error as Error).message };
}

/** Carries out all tasks, a few at a time. */
async function inLanes(tasks: readonly (() => Promise<void>)[], lanes: number): Promise<void> {
  const open = [...tasks];
  const lane = async (): Promise<void> => {
    for (let task = open.shift(); task !== undefined; task = open.shift()) await task();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
