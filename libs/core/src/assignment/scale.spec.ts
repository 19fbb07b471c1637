import { describe, expect, it } from '@jest/globals';
import { taskKey } from '../model/connector.js';
import type { AssignmentStrategyName } from '../model/cluster-settings.js';
import { assignTasks } from './assign-tasks.js';
import type { AssignableTask, AssignmentPlan, PreviousAssignment, Worker } from './assignment-types.js';
import { task, worker } from '../testing/settled.js';

/** Of CPU: what else the machine does counts little. The goal on a quiet machine is 200 ms. */
const LIMIT_MS = 1_000;
const TEST_TIMEOUT_MS = 180_000;

const workers = Array.from({ length: 1_000 }, (_, i) => worker(`w${i}`));
const tasks = Array.from({ length: 10_000 }, (_, c) => Array.from({ length: 10 }, (__, i) => task(`connector-${c}`, i))).flat();

type Previous = ReadonlyMap<string, PreviousAssignment>;

function heldAfter(strategy: AssignmentStrategyName): Previous {
  const { assign } = assignTasks(strategy, { tasks, workers, previous: new Map() });
  return new Map(assign.map((to) => [taskKey(to), { nodeId: to.nodeId, incarnation: to.incarnation, revoked: false }]));
}

/** The state after a worker's loss: its tasks are free and remember it. */
function afterLoss(held: Previous, nodeId: string): { lost: string[]; tasks: AssignableTask[]; previous: Previous } {
  const lost = new Set([...held].filter(([, owner]) => owner.nodeId === nodeId).map(([key]) => key));
  return {
    lost: [...lost].sort(),
    tasks: tasks.map((each) => (lost.has(each.key) ? { ...each, lastNodeId: nodeId } : each)),
    previous: new Map([...held].filter(([key]) => !lost.has(key))),
  };
}

/** The shortest of three runs, in milliseconds of CPU; all are printed, with their wall clock. */
function timed(label: string, plan: () => AssignmentPlan): { plan: AssignmentPlan; cpuMs: number } {
  const runs = Array.from({ length: 3 }, () => {
    const startedAt = performance.now();
    const before = process.cpuUsage();
    const result = plan();
    const { user, system } = process.cpuUsage(before);
    return { plan: result, cpuMs: (user + system) / 1_000, ms: performance.now() - startedAt };
  });
  const all = runs.map(({ cpuMs, ms }) => `${cpuMs.toFixed(0)} (${ms.toFixed(0)})`).join(', ');
  process.stdout.write(`1,000 workers, 100,000 tasks, ${label}: ${all} ms of CPU (of wall clock)\n`);
  return runs.reduce((best, run) => (run.cpuMs < best.cpuMs ? run : best));
}

const without = (nodeId: string): Worker[] => workers.filter((each) => each.nodeId !== nodeId);

describe('assignment at full size', () => {
  it(
    'sticky: one worker lost moves exactly its tasks',
    () => {
      const { lost, ...state } = afterLoss(heldAfter('sticky'), 'w500');
      expect(lost).toHaveLength(100);
      const { plan, cpuMs } = timed('sticky, worker lost', () => assignTasks('sticky', { ...state, workers: without('w500') }));
      expect(plan.assign.map(taskKey).sort()).toEqual(lost);
      expect(plan.revoke).toEqual([]);
      expect(cpuMs).toBeLessThanOrEqual(LIMIT_MS);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'sticky: one worker more takes its share only',
    () => {
      const previous = heldAfter('sticky');
      const more = [...workers, worker('x')];
      const { plan, cpuMs } = timed('sticky, worker added', () => assignTasks('sticky', { tasks, workers: more, previous }));
      expect(plan.assign).toEqual([]);
      expect(plan.revoke).toHaveLength(99);
      expect(cpuMs).toBeLessThanOrEqual(LIMIT_MS);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'average: one worker lost',
    () => {
      const { lost, ...state } = afterLoss(heldAfter('average'), 'w500');
      const { plan, cpuMs } = timed('average, worker lost', () => assignTasks('average', { ...state, workers: without('w500') }));
      expect(plan.assign.map(taskKey).sort()).toEqual(lost);
      expect(cpuMs).toBeLessThanOrEqual(LIMIT_MS);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'consistent-hash: one worker lost moves exactly its tasks',
    () => {
      const { lost, ...state } = afterLoss(heldAfter('consistent-hash'), 'w500');
      const { plan, cpuMs } = timed('consistent-hash, worker lost', () =>
        assignTasks('consistent-hash', { ...state, workers: without('w500') }),
      );
      expect(plan.assign.map(taskKey).sort()).toEqual(lost);
      expect(plan.revoke).toEqual([]);
      expect(cpuMs).toBeLessThanOrEqual(LIMIT_MS);
    },
    TEST_TIMEOUT_MS,
  );
});
