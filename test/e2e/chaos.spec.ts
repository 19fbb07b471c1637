import { expect, it } from '@jest/globals';
import type { FaultCard } from '../chaos/fault-plan.js';
import { figureLines, isMet } from '../chaos/figure.js';
import { randomFaults } from '../chaos/random-faults.js';

/** A short part of `npm run chaos`. */
const cards: readonly FaultCard[] = [
  { kind: 'kill', target: 'source-runner' },
  { kind: 'kill', target: 'sink-runner' },
  { kind: 'kill', target: 'leader' },
  { kind: 'stop', target: 'source-runner' },
  { kind: 'terminate', target: 'sink-runner' },
  { kind: 'restart', target: 'broker' },
];
/** Its plan has every card once, and the leader's death far from the restart of the broker: that one is measured too. */
const seed = 41;
/** Other tests run on the same processors, so times may be missed by this factor; what is counted may not. */
const patience = 20;

const tell = (line: string): void => {
  process.stderr.write(`chaos, seed ${seed}: ${line}\n`);
};

it('kills, standstills, ends and a restart of the broker lose, double and needlessly stop nothing', async () => {
  const figures = await randomFaults({
    crew: { coordinators: 3, sourceRunners: 3, sinkRunners: 3 },
    load: { pipelines: 5, recordsPerSecond: 50, calmLimitMs: 5000 },
    plan: {
      seed,
      durationMs: 55_000,
      standstillMs: 10_000,
      spacingMs: { least: 9000, most: 11_000 },
      togetherChance: 0,
      cards,
    },
    tell,
  });
  for (const line of figureLines(figures)) tell(line);
  expect(figures.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "a killed runner's tasks run again",
      "a killed leader's successor answers commands",
      'longest gap of tasks of unconcerned workers',
    ]),
  );
  expect(figures.filter((figure) => !isMet(figure, patience))).toEqual([]);
}, 600_000);
