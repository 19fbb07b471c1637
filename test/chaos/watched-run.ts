import { readWholeLog } from '../support/control-log.js';
import { untilProcessorsIdle } from '../support/cpu-time.js';
import type { SluiceCluster } from '../support/sluice-cluster.js';
import { CommandProber } from './command-prober.js';
import { Load, type LoadOptions } from './load.js';
import type { AppliedFault, Observations, UnaskedEnd } from './observations.js';
import { StallMeter } from './stall-meter.js';
import { StatusWatch } from './status-watch.js';

/** After the end of the last fault everything that was made has to arrive within this time, in milliseconds. */
const FINISH_MS = 120_000;
/** By then a cluster that has the machine for itself has compiled its code. */
const CALM_LIMIT_MS = 30_000;

interface Acted {
  readonly faults: readonly AppliedFault[];
  readonly unaskedEnds: readonly UnaskedEnd[];
}

/** Puts load on a cluster, has something happen to it, and returns everything that was seen until all records have arrived. */
export async function watchedRun(cluster: SluiceCluster, loadOptions: LoadOptions, act: () => Promise<Acted>): Promise<Observations> {
  const watch = new StatusWatch(cluster);
  const meter = StallMeter.start();
  try {
    const load = await Load.start(cluster, loadOptions);
    await untilProcessorsIdle(loadOptions.calmLimitMs ?? CALM_LIMIT_MS);
    const beganMs = Date.now();
    const prober = new CommandProber(cluster);
    const acted = await act().finally(() => prober.stop());
    const endedMs = Date.now();
    const pipelines = await load.finish(FINISH_MS);
    await watch.stop();
    const { accepted } = await readWholeLog(cluster);
    const { sightings } = watch;
    return {
      ...acted,
      unaskedEnds: [...acted.unaskedEnds, ...endsOf(cluster)],
      beganMs,
      endedMs,
      sightings,
      probes: prober.probes,
      stalls: meter.stalls,
      pipelines,
      entries: accepted,
    };
  } finally {
    await watch.stop();
    await meter.stop();
  }
}

/** Processes that have ended by themselves and were not started again. */
function endsOf(cluster: SluiceCluster): readonly UnaskedEnd[] {
  const ended = cluster.roles.filter(({ hasEndedByItself }) => hasEndedByItself);
  return ended.map(({ id, lastWords }) => ({ nodeId: id, atMs: Date.now(), lastWords }));
}
