import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { coreSources, mutated, MutationLostError } from './core-copy.js';
import { MUTANTS } from './mutants.js';
import { tryMutants, type Verdicts } from './try-mutants.js';

/** As many as the simulation's own spec runs. */
const SEEDS = 200;
/** Far more than it takes: what is waited for is many runs of the simulation. */
const TIMEOUT_MS = 900_000;

describe('the rules of the control plane', () => {
  const ending = new AbortController();
  let root: string | undefined;
  let verdicts: Verdicts;

  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-mutants-')));
    verdicts = await tryMutants(await coreSources(), MUTANTS, { root, seeds: SEEDS, signal: ending.signal });
    for (const [{ rule, seed }, found] of verdicts.of) {
      if (seed === undefined || found.seed === undefined || found.seed === seed) continue;
      process.stderr.write(`Mutant "${rule}": seed ${seed} does not find it any more; name seed ${found.seed}\n`);
    }
  }, TIMEOUT_MS);

  afterAll(async () => {
    ending.abort();
    if (root !== undefined) await rm(root, { recursive: true, force: true });
  });

  it('hold in the code as it is', () => {
    expect(verdicts.unchanged).toEqual([]);
  });

  it.each(MUTANTS.map((mutant) => [mutant.rule, mutant] as const))('are tested: a mutant is caught, %s', (_, mutant) => {
    expect(verdicts.of.get(mutant)).toMatchObject({ outcome: 'caught', details: expect.any(String) });
  });
});

describe('a mutation', () => {
  const mutant = { rule: 'r', file: 'log/fold.ts', from: 'no such text', to: '' };

  it('is named when its text is not in the source any more, or not just once', async () => {
    const sources = await coreSources();
    expect(() => mutated(sources, mutant)).toThrow(MutationLostError);
    expect(() => mutated(sources, mutant)).toThrow('Mutant "r": its text stands 0 times in libs/core/src/log/fold.ts');
    expect(() => mutated(sources, { ...mutant, from: 'return' })).toThrow(MutationLostError);
    expect(() => mutated(sources, { ...mutant, file: 'gone.ts' })).toThrow(MutationLostError);
  });
});
