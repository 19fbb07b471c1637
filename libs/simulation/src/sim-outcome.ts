import { type ClusterState, type Command, eventsIn, type LogEntry, stateDigest, TargetState, taskKey } from '@sluice/core';
import { wrongCompletions } from './sim-completions.js';
import type { SimCoordinator } from './sim-coordinator.js';
import { activeRunners, mayRunTask, isUniform, loadOf } from './sim-judge.js';
import { SimModel } from './sim-model.js';
import { SimPairs } from './sim-pairs.js';
import type { SimRunner } from './sim-runner.js';

/** Entries by which a reader may be behind at any moment. */
const MAX_LAG = 20;

export interface SimOutcome {
  /** What the log says to one who reads all of it. */
  readonly state: ClusterState;
  /** The same up to an offset. */
  readonly stateAt: (offset: number) => ClusterState;
  readonly accepted: readonly LogEntry[];
  /** What the commands queue holds. */
  readonly commands: readonly Command[];
  /** All commands that were ever sent, by request id. */
  readonly sent: ReadonlyMap<string, Command>;
  readonly coordinators: readonly SimCoordinator[];
  readonly runners: readonly SimRunner[];
  /** Generations that came to their end of data: see `endOf`. */
  readonly ended: ReadonlySet<string>;
}

/** What is wrong once peace has lasted; empty if nothing is. */
export function unsettled(outcome: SimOutcome): readonly string[] {
  return [
    ...wrongLeaders(outcome),
    ...wrongReaders(outcome),
    ...wrongCommands(outcome),
    ...SimModel.judge(outcome.accepted, outcome.sent, outcome.state),
    ...wrongConnectors(outcome),
    ...wrongTasks(outcome),
    ...wrongCompletions(outcome),
    ...wrongBalance(outcome),
  ];
}

function wrongLeaders({ coordinators }: SimOutcome): readonly string[] {
  const leaders = coordinators.filter((each) => !each.isDead && each.isLeader);
  return leaders.length === 1 ? [] : [`${leaders.length} leaders`];
}

/** Each reader is near the head, and holds what the log says up to where it has read. */
function wrongReaders({ state, stateAt, accepted, sent, coordinators, runners }: SimOutcome): readonly string[] {
  const wrong: string[] = [];
  const readers = [
    ...coordinators.map((each) => ({ each, cluster: each.state.cluster })),
    ...runners.map((each) => ({ each, cluster: each.cluster })),
  ];
  for (const { each, cluster } of readers) {
    if (each.isDead) wrong.push(`${each.nodeId} is dead`);
    if (state.head.offset - cluster.head.offset > MAX_LAG) wrong.push(`${each.nodeId} lags behind the log`);
    if (stateDigest(cluster) !== stateDigest(stateAt(cluster.head.offset))) wrong.push(`${each.nodeId} holds another state`);
    const read = accepted.filter(({ seq }) => seq <= cluster.head.seq);
    wrong.push(...SimPairs.after(read, sent).differences(each.nodeId, cluster));
  }
  return wrong;
}

/** Each command has one result; each config that was stored stands in the log once. */
function wrongCommands({ state, accepted, commands }: SimOutcome): readonly string[] {
  const wrong: string[] = [];
  for (const { requestId } of commands) {
    if (!state.results.has(requestId)) wrong.push(`command ${requestId} was lost`);
  }
  const puts = new Map<string, number>();
  let lastOffset = -1;
  let previous = '';
  for (const { event } of accepted.flatMap((entry) => eventsIn(entry.event).map((each) => ({ event: each })))) {
    if (event.kind === 'commands.rewound') lastOffset = event.nextOffset - 1;
    if (event.kind === 'command.done') {
      const { requestId, commandOffset } = event.result;
      if (commandOffset <= lastOffset) wrong.push(`command ${requestId} was done again`);
      lastOffset = commandOffset;
      if (previous === 'connector.put') puts.set(requestId, (puts.get(requestId) ?? 0) + 1);
    }
    previous = event.kind;
  }
  for (const [requestId, count] of puts) {
    if (count !== 1) wrong.push(`command ${requestId} was applied ${count} times`);
  }
  for (const { requestId, kind } of commands) {
    const isStored = state.results.get(requestId)?.outcome.status === 'done' && kind === 'connector.put';
    if (isStored && !puts.has(requestId)) wrong.push(`command ${requestId} is done but was not applied`);
  }
  return wrong;
}

function wrongConnectors({ state }: SimOutcome): readonly string[] {
  const wrong: string[] = [];
  for (const connector of state.connectors.values()) {
    const isSplit = connector.tasksVersion === connector.configVersion || connector.error !== undefined;
    if (!isSplit && connector.targetState !== TargetState.stopped) wrong.push(`${connector.name} is not split`);
  }
  return wrong;
}

/** What is wanted runs where the log says, and nothing else runs. */
function wrongTasks({ state, runners }: SimOutcome): readonly string[] {
  const wrong: string[] = [];
  for (const [key, task] of state.tasks) {
    const { id, assignment, completed } = task;
    const connector = state.connectors.get(id.connector);
    const isWanted = connector !== undefined && connector.targetState !== TargetState.stopped && completed === undefined;
    const runner = runners.find((each) => each.incarnation === assignment?.incarnation && !each.isDead);
    const held = runner?.running.get(key);
    const isRunning = held?.generation === assignment?.generation && held?.isSuperseded === false && runner?.hasLease;
    const isHopeless = connector?.error !== undefined || !activeRunners(state).some((each) => mayRunTask(state, task, each));
    const mayWait = isHopeless && assignment === undefined;
    if (isRunning && held.completedAt !== undefined) wrong.push(`${key} has come to its end and runs on`);
    if (isWanted && !mayWait && !isRunning) wrong.push(`${key} does not run: ${JSON.stringify(assignment)}`);
    if (!isWanted && assignment !== undefined) wrong.push(`${key} is still held`);
  }
  for (const runner of runners) {
    for (const [key, { id }] of runner.running) {
      const assignment = state.tasks.get(taskKey(id))?.assignment;
      if (assignment?.incarnation !== runner.incarnation) wrong.push(`${key} runs unasked`);
    }
  }
  return wrong;
}

/** No task could move from one runner to another and make them more equal; who drains holds nothing that others can run. */
function wrongBalance({ state }: SimOutcome): readonly string[] {
  const wrong: string[] = [];
  if (!isUniform(state)) return wrong;
  const workers = activeRunners(state);
  for (const nodeId of workers.length > 0 ? state.draining : []) {
    if (loadOf(state, nodeId) > 0) wrong.push(`${nodeId} drains and holds ${loadOf(state, nodeId)} tasks`);
  }
  if (state.settings['assignment.strategy'] === 'consistent-hash') return wrong;
  for (const from of workers) {
    for (const to of workers) {
      const load = loadOf(state, from.nodeId) / from.capacity;
      const next = (loadOf(state, to.nodeId) + 1) / to.capacity;
      if (load > next + 1e-9) wrong.push(`${from.nodeId} holds more than ${to.nodeId} by more than a task`);
    }
  }
  return wrong;
}
