import { describe, expect, it } from '@jest/globals';
import { Simulation } from '../testing/simulation.js';

const SEEDS = 100;

describe('coordinators and runners under crashes, pauses, stalls and lost, late and doubled sends', () => {
  it(`keep one leader per epoch, one owner per task and every command once, and settle (${String(SEEDS)} seeds)`, () => {
    const failures: string[] = [];
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const simulation = new Simulation(seed);
      simulation.run(30_000, 35_000);
      const wrong = [...simulation.violations, ...simulation.unsettled()];
      if (wrong.length > 0) failures.push(`seed ${String(seed)}: ${wrong.slice(0, 5).join('; ')}`);
    }
    expect(failures).toEqual([]);
  });
});
