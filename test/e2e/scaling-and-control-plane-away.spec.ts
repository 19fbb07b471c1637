import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { controlPlaneAway } from '../chaos/control-plane-away.js';
import { startCrew } from '../chaos/crew.js';
import { figureLines, isMet, type Figure } from '../chaos/figure.js';
import { scaleRunners } from '../chaos/scale-runners.js';
import type { SluiceCluster } from '../support/sluice-cluster.js';

/** Other tests run on the same processors, so times may be missed by this factor; what is counted may not. */
const patience = 20;
const calmLimitMs = 5000;

describe('tasks under load keep running, but for those that must move,', () => {
  let cluster: SluiceCluster;

  beforeAll(async () => {
    cluster = await startCrew({ coordinators: 2, sourceRunners: 1, sinkRunners: 1 });
  }, 400_000);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
  }, 180_000);

  const told = (scenario: string) => (line: string) => {
    process.stderr.write(`${scenario}: ${line}\n`);
  };
  const missed = (scenario: string, figures: readonly Figure[]): readonly Figure[] => {
    for (const line of figureLines(figures)) told(scenario)(line);
    return figures.filter((figure) => !isMet(figure, patience));
  };

  it('while source runners become 4 and 1 again', async () => {
    const load = { name: 'scaled', pipelines: 4, recordsPerSecond: 50, calmLimitMs };
    const figures = await scaleRunners(cluster, { load, most: 4, tell: told('scale-runners') });
    expect(missed('scale-runners', figures)).toEqual([]);
  }, 600_000);

  it('while all coordinators are unavailable; reads answer with their age, and writes 503 with the reason', async () => {
    const load = { name: 'alone', pipelines: 2, recordsPerSecond: 50, calmLimitMs };
    const options = { load, awayMs: 20_000, tell: told('control-plane-away') };
    expect(missed('control-plane-away', await controlPlaneAway(cluster, options))).toEqual([]);
  }, 600_000);
});
