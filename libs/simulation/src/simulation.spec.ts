import { describe, expect, it } from '@jest/globals';
import { simulate } from './simulate.js';
import { Simulation } from './simulation.js';

const SEEDS = 200;
const SEEDS_PER_TEST = 20;
const TIMEOUT_MS = 600_000;

describe('coordinators and runners under crashes, pauses, wrong clocks, bad sends and a log that loses its head or tail', () => {
  const firstSeeds = Array.from({ length: SEEDS / SEEDS_PER_TEST }, (_, i) => 1 + i * SEEDS_PER_TEST);

  it.each(firstSeeds)(
    `keep one leader per claim, one owner per task and every command once, and settle (${SEEDS_PER_TEST} seeds from %i)`,
    (from) => {
      const failed = simulate({ seeds: SEEDS_PER_TEST, from });
      expect(failed.map(({ seed, wrong }) => `seed ${seed}: ${wrong.slice(0, 5).join('; ')}`)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it('run alike each time for the same seed', () => {
    const [first, second] = [7, 7].map((seed) => {
      const simulation = new Simulation(seed);
      simulation.run(10_000, 20_000);
      return simulation.broker.log;
    });
    expect(first?.length).toBeGreaterThan(20);
    expect(second).toEqual(first);
  });

  it('do not run on a log that was created again', () => {
    const simulation = new Simulation(3);
    simulation.run(9_000, 20_000);
    expect(simulation.runners.flatMap((each) => each.active(new Map())).length).toBeGreaterThan(0);
    simulation.broker.recreateLog();
    simulation.run(simulation.clock.now, 20_000);
    expect(simulation.runners.flatMap((each) => each.active(new Map()))).toEqual([]);
    expect(simulation.coordinators.filter((each) => each.isLeader && !each.isDead)).toEqual([]);
    const [genesis, ...late] = simulation.broker.log.map(({ entry }) => entry);
    // What was on its way may still arrive; it belongs to the log that is gone.
    expect(late.filter(({ logId, at }) => logId === genesis?.logId || at > (genesis?.at ?? 0))).toEqual([]);
  });
});
