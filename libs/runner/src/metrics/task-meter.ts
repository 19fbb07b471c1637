import { taskKey, type TaskId } from '@sluice/core';
import {
  CallBoard,
  FigureSum,
  newTaskCounters,
  TaskFigures,
  type TaskCounters,
  type TaskEnvironment,
  type TaskLoop,
} from '@sluice/runtime';

/** What this node did for a connector since the process began. */
export interface ConnectorTotals {
  /** Sums over its tasks, over those that ended too; of `bufferedRecords` and `bufferedBytes` only what waits now. */
  readonly counters: Readonly<TaskCounters>;
  readonly failures: number;
  readonly restarts: number;
}

/** Memory of one loop, which also those read who are not in its thread. */
export type TaskBoards = Required<Pick<TaskEnvironment, 'calls' | 'figures'>>;

/** Makes the boards of a new loop, which shows nothing yet. */
export function newTaskBoards(): TaskBoards {
  return { calls: new CallBoard(), figures: new TaskFigures() };
}

/** What this node did for a task since it got it, or for tasks together. */
export interface TaskTotals {
  /** As {@link ConnectorTotals.counters}. */
  readonly counters: Readonly<TaskCounters>;
  readonly sum: FigureSum;
}

/** A task that is metered, alone or with others. */
export interface MeteredTask extends TaskTotals {
  readonly id: TaskId;
  readonly key: string;
  /** Of its loop; `undefined` while none runs. */
  readonly boards: TaskBoards | undefined;
  /** When it committed last, or when this node got it; by {@link sharedNowMs}. */
  readonly lastCommitMs: number;
}

/** The tasks of a node, as its metrics show them. */
export interface MeteredTasks {
  /** Those with totals of their own. */
  readonly own: readonly MeteredTask[];
  /** The others that the node holds. */
  readonly folded: readonly MeteredTask[];
  /** What all did that ever were among the others. */
  readonly foldedTotals: TaskTotals;
}

interface ConnectorMeter {
  readonly running: Set<TaskCounters>;
  ended: TaskCounters;
  failures: number;
  restarts: number;
  /** Keys of tasks whose last loop failed. */
  readonly failed: Set<string>;
}

interface OneTask {
  readonly id: TaskId;
  isFolded: boolean;
  readonly running: Map<TaskCounters, TaskBoards>;
  ended: TaskTotals;
  lastCommitMs: number;
}

export interface TaskMeterOptions {
  /** How many tasks have totals of their own. */
  readonly maxTasks: number;
  /** Keys of the tasks that this node holds. */
  readonly held: () => ReadonlySet<string>;
  readonly nowMs: () => number;
}

/**
 * Adds up the counters of task loops by connector and by task, and by task their figures. A loop begins at 0 and ends with its task. Sums of the loops that run would fall
 * with every restart, which a counter must never do. Beyond a number of tasks, those that came last are counted together.
 */
export class TaskMeter {
  readonly #meters = new Map<string, ConnectorMeter>();
  readonly #tasks = new Map<string, OneTask>();
  #folded: TaskTotals = newTotals();

  constructor(private readonly options: TaskMeterOptions) {}

  /** Makes a loop of a task and counts it. Throws what `create` throws. */
  counted<Loop extends Pick<TaskLoop, 'counters' | 'ended'>>(id: TaskId, create: (boards: TaskBoards) => Loop): Loop {
    const meter = this.#meterOf(id.connector);
    const key = taskKey(id);
    const task = this.#taskOf(id, key);
    if (meter.failed.delete(key)) meter.restarts += 1;
    const noteFailure = (): void => {
      meter.failures += 1;
      meter.failed.add(key);
    };
    const boards = newTaskBoards();
    let loop: Loop;
    try {
      loop = create(boards);
    } catch (error) {
      noteFailure();
      throw error;
    }
    const { counters } = loop;
    meter.running.add(counters);
    task.running.set(counters, boards);
    void loop.ended.then((end) => {
      meter.running.delete(counters);
      meter.ended = sumOf([meter.ended, withoutBuffer(counters)]);
      task.lastCommitMs = Math.max(task.lastCommitMs, boards.figures.lastCommitMs);
      task.running.delete(counters);
      boards.figures.addTo(task.ended.sum);
      task.ended = { ...task.ended, counters: sumOf([task.ended.counters, withoutBuffer(counters)]) };
      if (end.kind === 'failed') noteFailure();
    });
    return loop;
  }

  /** By connector. What is counted of connectors that are gone is forgotten once nothing of them runs. */
  totals(isThere: (connector: string) => boolean): ReadonlyMap<string, ConnectorTotals> {
    const totals = new Map<string, ConnectorTotals>();
    for (const [connector, { running, ended, failures, restarts }] of this.#meters) {
      if (running.size === 0 && !isThere(connector)) this.#meters.delete(connector);
      else totals.set(connector, { counters: sumOf([ended, ...running]), failures, restarts });
    }
    return totals;
  }

  /** By task, of the tasks that the node holds. */
  tasks(): MeteredTasks {
    this.#forgetOthers();
    const all = [...this.#tasks].map(([key, task]) => ({ isFolded: task.isFolded, metered: meteredOf(key, task) }));
    const folded = all.filter(({ isFolded }) => isFolded).map(({ metered }) => metered);
    return {
      own: all.filter(({ isFolded }) => !isFolded).map(({ metered }) => metered),
      folded,
      foldedTotals: totalOf([this.#folded, ...folded]),
    };
  }

  #meterOf(connector: string): ConnectorMeter {
    let meter = this.#meters.get(connector);
    if (meter === undefined) {
      meter = { running: new Set(), ended: newTaskCounters(), failures: 0, restarts: 0, failed: new Set() };
      this.#meters.set(connector, meter);
    }
    return meter;
  }

  /** A task that was counted with others gets totals of its own at its next start after there is room; they begin at 0. */
  #taskOf(id: TaskId, key: string): OneTask {
    this.#forgetOthers(key);
    let task = this.#tasks.get(key);
    if (task === undefined) {
      task = { id, isFolded: !this.#hasRoom, running: new Map(), ended: newTotals(), lastCommitMs: this.options.nowMs() };
      this.#tasks.set(key, task);
    } else if (task.isFolded && task.running.size === 0 && this.#hasRoom) {
      this.#folded = totalOf([this.#folded, task.ended]);
      task.ended = newTotals();
      task.isFolded = false;
    }
    return task;
  }

  get #hasRoom(): boolean {
    let own = 0;
    for (const { isFolded } of this.#tasks.values()) if (!isFolded) own += 1;
    return own < this.options.maxTasks;
  }

  #forgetOthers(but?: string): void {
    const held = this.options.held();
    for (const [key, { isFolded, running, ended }] of this.#tasks) {
      if (key === but || running.size > 0 || held.has(key)) continue;
      this.#tasks.delete(key);
      if (isFolded) this.#folded = totalOf([this.#folded, ended]);
    }
  }
}

function meteredOf(key: string, { id, running, ended, lastCommitMs }: OneTask): MeteredTask {
  const sum = new FigureSum();
  ended.sum.addTo(sum);
  for (const { figures } of running.values()) figures.addTo(sum);
  const boards = [...running.values()].at(-1);
  return {
    id,
    key,
    counters: sumOf([ended.counters, ...running.keys()]),
    sum,
    boards,
    lastCommitMs: Math.max(lastCommitMs, boards?.figures.lastCommitMs ?? 0),
  };
}

function newTotals(): TaskTotals {
  return { counters: newTaskCounters(), sum: new FigureSum() };
}

function totalOf(all: readonly TaskTotals[]): TaskTotals {
  const sum = new FigureSum();
  for (const each of all) each.sum.addTo(sum);
  return { counters: sumOf(all.map(({ counters }) => counters)), sum };
}

function withoutBuffer(counters: Readonly<TaskCounters>): TaskCounters {
  return { ...counters, bufferedRecords: 0, bufferedBytes: 0 };
}

function sumOf(all: readonly Readonly<TaskCounters>[]): TaskCounters {
  const sum = newTaskCounters();
  for (const name of Object.keys(sum) as (keyof TaskCounters)[]) {
    for (const counters of all) sum[name] += counters[name];
  }
  return sum;
}
