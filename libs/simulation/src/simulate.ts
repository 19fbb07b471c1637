import { Simulation, STEP_MS } from './simulation.js';

export interface SimulateOptions {
  /** How many runs. */
  readonly seeds: number;
  /** Seed of the first run; the others follow. Default 1. */
  readonly from?: number;
  /** Faults and commands per run. Default 20. */
  readonly steps?: number;
  /** Called after each run. */
  readonly onRun?: (run: SimulatedRun) => void;
}

export interface SimulatedRun {
  readonly seed: number;
  /** What went wrong; empty if nothing did. */
  readonly wrong: readonly string[];
}

const DEFAULT_STEPS = 20;
/** Everything must be in order when there were no faults for so long. */
const CALM_MS = 39_000;
/** Most runs are in order far sooner: they are looked at each time after so long. */
const CALM_STEP_MS = 13_000;

/** Runs simulations of the control plane, one per seed, and returns those that failed. */
export function simulate({ seeds, from = 1, steps = DEFAULT_STEPS, onRun }: SimulateOptions): readonly SimulatedRun[] {
  const failed: SimulatedRun[] = [];
  for (let seed = from; seed < from + seeds; seed += 1) {
    const run = { seed, wrong: runOf(seed, steps) };
    if (run.wrong.length > 0) failed.push(run);
    onRun?.(run);
  }
  return failed;
}

/** A step that throws is a failure of its seed like any other. */
function runOf(seed: number, steps: number): readonly string[] {
  const simulation = new Simulation(seed);
  try {
    simulation.run(steps * STEP_MS, CALM_STEP_MS);
    for (let calmMs = CALM_STEP_MS; calmMs < CALM_MS && simulation.wrong().length > 0; calmMs += CALM_STEP_MS) {
      if (simulation.violations.length > 0) break;
      simulation.goOn(CALM_STEP_MS);
    }
    return simulation.wrong();
  } catch (error) {
    return [...simulation.violations, `${simulation.clock.now.toFixed(0)}: ${(error as Error).stack ?? String(error)}`];
  }
}
