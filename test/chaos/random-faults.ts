import { setTimeout as delay } from 'node:timers/promises';
import { startCrew, type CrewSize } from './crew.js';
import { planFaults, type FaultCard, type FaultPlanOptions } from './fault-plan.js';
import { FaultRunner } from './fault-runner.js';
import type { Figure } from './figure.js';
import { judge } from './judge.js';
import type { LoadOptions } from './load.js';
import type { AppliedFault } from './observations.js';
import { watchedRun } from './watched-run.js';

export interface RandomFaultsOptions {
  readonly crew: CrewSize;
  readonly load: Omit<LoadOptions, 'name'>;
  /** Processes get as many runners of each role as the smaller role has. */
  readonly plan: Omit<FaultPlanOptions, 'runners'>;
  readonly tell: (line: string) => void;
}

/** Records keep coming for this long after the last one struck is back, in milliseconds. */
const AFTER_LAST_MS = 10_000;

/** Kills, standstills, ends in good order and restarts of the broker, as the seed says, while numbered records flow. */
export async function randomFaults({ crew, load, plan, tell }: RandomFaultsOptions): Promise<readonly Figure[]> {
  const faults = planFaults({ ...plan, runners: Math.min(crew.sourceRunners, crew.sinkRunners) });
  const cluster = await startCrew(crew);
  try {
    const observed = await watchedRun(cluster, { name: 'chaos', ...load }, async () => {
      const runner = new FaultRunner(cluster, tell);
      try {
        await runner.run(faults);
        await delay(AFTER_LAST_MS);
      } finally {
        await runner.stop();
      }
      return { faults: runner.applied, unaskedEnds: runner.unaskedEnds };
    });
    return [...countsOf(observed.faults, plan.cards), ...judge(observed)];
  } finally {
    await cluster.close();
  }
}

/** A card that was never played shows nothing. */
function countsOf(applied: readonly AppliedFault[], cards: readonly FaultCard[]): readonly Figure[] {
  const unplayed = cards.filter((card) => !applied.some(({ fault }) => fault.kind === card.kind && fault.target === card.target));
  return [
    { name: 'faults', unit: 'count', value: applied.length, details: [] },
    {
      name: 'kinds of faults that never came',
      unit: 'count',
      value: unplayed.length,
      limit: 0,
      details: unplayed.map(({ kind, target }) => `${kind} ${target}`),
    },
  ];
}
