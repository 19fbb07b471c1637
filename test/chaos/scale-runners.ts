import { setTimeout as delay } from 'node:timers/promises';
import { until, type SluiceCluster } from '../support/sluice-cluster.js';
import { startAndWait } from './crew.js';
import type { Figure } from './figure.js';
import { judge } from './judge.js';
import type { LoadOptions } from './load.js';
import type { AppliedFault } from './observations.js';
import { staysOf } from './task-history.js';
import { watchedRun } from './watched-run.js';

export interface ScaleRunnersOptions {
  readonly load: LoadOptions;
  /** How many source runners there are in between; before and after there is one. */
  readonly most: number;
  readonly tell: (line: string) => void;
}

/** The longest that a task that must move may pause. */
const MOVE_MS = 2000;
/** Between changes the flow continues for this long. */
const STEADY_MS = 4000;
const BALANCE_LIMIT_MS = 60_000;

/** One source runner gets company and loses it again, one by one in good order, while numbered records flow. */
export async function scaleRunners(cluster: SluiceCluster, { load, most, tell }: ScaleRunnersOptions): Promise<readonly Figure[]> {
  const faults: AppliedFault[] = [];
  const observed = await watchedRun(cluster, load, async () => {
    const others = Array.from({ length: most - 1 }, (_, index) => {
      return cluster.add('source-runner', `source-runner-${index + 2}`);
    });
    await delay(STEADY_MS);
    await Promise.all(others.map(startAndWait));
    await untilEven(cluster, most);
    tell(`${most} source runners share the tasks`);
    for (const [index, handle] of [...others.entries()].reverse()) {
      await delay(STEADY_MS);
      const fromMs = Date.now();
      const fault = { kind: 'terminate', target: 'source-runner', index: index + 2, atMs: 0, awayMs: 0 } as const;
      await handle.kill('SIGTERM');
      faults.push({ fault, nodeId: handle.id, isLeader: false, fromMs, toMs: Date.now() });
      await untilEven(cluster, index + 1);
      tell(`${index + 1} source runners share the tasks`);
    }
    await delay(STEADY_MS);
    return { faults, unaskedEnds: [] };
  });
  const moves = staysOf(observed.entries).filter(({ end }) => end === 'moved' || end === 'left' || end === 'released');
  return [
    { name: 'tasks that had to move', unit: 'count', value: moves.length, details: [] },
    ...judge(observed, { concernedGapMs: MOVE_MS }),
  ];
}

/** Every source task runs, and no runner has two more than another. */
async function untilEven(cluster: SluiceCluster, runners: number): Promise<void> {
  let loads = new Map<string, number>();
  await until(
    `${runners} source runners share the tasks`,
    async () => {
      const { body } = await cluster.request('GET', '/connectors?expand=status');
      const answers = Object.values(body as Readonly<Record<string, ExpandedStatus>>);
      const tasks = answers.filter(({ status }) => status.type === 'source').flatMap(({ status }) => status.tasks);
      loads = new Map();
      for (const { worker_id: worker } of tasks) loads.set(worker, (loads.get(worker) ?? 0) + 1);
      const counts = [...loads.values()];
      const isEven = Math.max(...counts) - Math.min(...counts) <= 1;
      return isEven && loads.size === Math.min(runners, tasks.length) && tasks.every(({ state }) => state === 'RUNNING');
    },
    BALANCE_LIMIT_MS,
    () => JSON.stringify([...loads]),
  );
}

interface ExpandedStatus {
  readonly status: {
    readonly type: string;
    readonly tasks: readonly { readonly state: string; readonly worker_id: string }[];
  };
}
