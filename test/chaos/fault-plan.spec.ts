import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ALL_CARDS, planFaults, type FaultPlanOptions } from './fault-plan.js';

const options: FaultPlanOptions = {
  seed: 1,
  durationMs: 600_000,
  runners: 3,
  standstillMs: 30_000,
  spacingMs: { least: 8000, most: 18_000 },
  togetherChance: 0.2,
  cards: ALL_CARDS,
};
const seeds = fc.integer({ min: 0, max: 1_000_000_000 });

describe('a plan of faults', () => {
  it('is the same for the same seed and another for another', () => {
    expect(planFaults(options)).toEqual(planFaults(options));
    expect(planFaults(options)).not.toEqual(planFaults({ ...options, seed: 2 }));
  });

  it('plays every card', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const played = new Set(planFaults({ ...options, seed }).map(({ kind, target }) => `${kind} ${target}`));
        expect(played).toEqual(new Set(ALL_CARDS.map(({ kind, target }) => `${kind} ${target}`)));
      }),
    );
  });

  it('spares processes that are down, and always one runner of each role', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const faults = planFaults({ ...options, seed });
        for (const fault of faults) {
          const away = faults.filter(
            (other) =>
              other !== fault && other.target === fault.target && other.atMs <= fault.atMs && other.atMs + other.awayMs > fault.atMs,
          );
          expect(away.map(({ index }) => index)).not.toContain(fault.index);
          expect(away.length).toBeLessThan(options.runners - 1);
        }
      }),
    );
  });

  it('is in the order of time, within its duration, and names runners by their numbers', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const faults = planFaults({ ...options, seed });
        const times = faults.map(({ atMs }) => atMs);
        expect(times).toEqual([...times].sort((left, right) => left - right));
        expect(Math.max(...times)).toBeLessThanOrEqual(options.durationMs);
        for (const { target, index } of faults) {
          expect(index).toBeGreaterThanOrEqual(target.endsWith('runner') ? 1 : 0);
          expect(index).toBeLessThanOrEqual(target.endsWith('runner') ? options.runners : 0);
        }
      }),
    );
  });

  it('suspends processes for the time given', () => {
    const stops = planFaults(options).filter(({ kind }) => kind === 'stop');
    expect(new Set(stops.map(({ awayMs }) => awayMs))).toEqual(new Set([30_000]));
  });
});
