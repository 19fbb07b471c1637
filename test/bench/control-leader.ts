import { collectGarbage, type ControlWorld } from './control-world.js';
import type { Figure } from './figure.js';
import { median } from './ratio-check.js';

const RUNS = 7;
/** Restarts before the measured ones, in which Node.js compiles the code: a leader that leads for a minute has done that. */
const WARM_UP_RESTARTS = 40;

/** What the leader's steps cost, each with its fold and its encoding. */
export function leaderFigures(world: ControlWorld): Figure[] {
  const changes = changedTask(world);
  const losses = lostWorker(world);
  return [
    { what: 'leader: CPU of the steps after the loss of one worker', value: median(losses), unit: 'ms', atMost: 200 },
    {
      what: 'leader: CPU of the dearest step of one restarted task',
      value: median(changes.slice(WARM_UP_RESTARTS)),
      unit: 'ms',
      atMost: 5,
    },
    { what: 'leader: the same, of the first restarts', value: median(changes.slice(0, 3 * RUNS)), unit: 'ms' },
    { what: 'leader: the same, worst of all restarts', value: Math.max(...changes), unit: 'ms' },
    ...snapshotFigures(world),
  ];
}

function lostWorker(world: ControlWorld): number[] {
  return Array.from({ length: Math.min(RUNS, world.scale.workers - 2) }, (_, run) => {
    const lost = world.workerId(run);
    collectGarbage();
    const took = world.report(run, { leaving: true, tasks: [] });
    if (world.followed.members.has(lost.nodeId)) throw new Error(`${lost.nodeId} is still a member`);
    world.untilAssigned();
    return took;
  });
}

/** Asked to stop, stopped, assigned again: the dearest of these steps, per restart. */
function changedTask(world: ControlWorld): number[] {
  collectGarbage();
  return Array.from({ length: WARM_UP_RESTARTS + 3 * RUNS }, (_, run) => {
    const worker = world.scale.workers - 1;
    const task = world.runs(worker)[run % 5];
    if (task === undefined) throw new Error('the worker runs nothing');
    const revoked = world.feed({
      kind: 'command.read',
      readId: world.state.commandReads,
      offset: world.followed.nextCommandOffset,
      command: {
        kind: 'tasks.restart',
        name: task.id.connector,
        tasks: [task.id],
        requestId: `restart-${run}`,
        sentAt: Date.UTC(2030, 0, 1) + world.now,
        from: 'bench',
      },
    });
    const left = world.runs(worker);
    const assigned = world.report(worker, { tasks: left });
    const committed = world.report(worker, { tasks: world.runs(worker).map((each) => ({ ...each, committed: true })) });
    return Math.max(revoked, assigned, run === 0 ? 0 : committed);
  });
}

/** A snapshot under way while a tick comes every 100 ms. */
function snapshotFigures(world: ControlWorld): Figure[] {
  world.setSnapshotEntries(1);
  const from = world.reads.length;
  let worstBytes = 0;
  let bytes = 0;
  let worstStep = 0;
  const startedAt = world.now;
  const isDone = (): boolean => world.reads.slice(from).some(({ entry }) => entry.event.kind === 'snapshot.done');
  for (let second = 0; second < 600 && !isDone(); second += 1) {
    world.reportAll();
    const before = world.appendedBytes;
    for (let turn = 0; turn < 10; turn += 1) worstStep = Math.max(worstStep, world.tick(100));
    worstBytes = Math.max(worstBytes, world.appendedBytes - before);
    bytes += world.appendedBytes - before;
  }
  world.setSnapshotEntries(1e9);
  return [
    { what: 'snapshot: size', value: bytes / 1e6, unit: 'MB' },
    { what: 'snapshot: most of it in one second', value: worstBytes / 1e6, unit: 'MB', atMost: 2 },
    { what: 'snapshot: time it takes', value: (world.now - startedAt) / 1_000, unit: 's' },
    { what: 'snapshot: CPU of the dearest tick', value: worstStep, unit: 'ms' },
  ];
}
