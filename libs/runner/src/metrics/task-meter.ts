import { taskKey, type TaskId } from '@sluice/core';
import { newTaskCounters, type TaskCounters, type TaskLoop } from '@sluice/runtime';

/** What this node did for a connector since the process began. */
export interface ConnectorTotals {
  /** Sums over its tasks, over those that ended too; of `bufferedRecords` and `bufferedBytes` only what waits now. */
  readonly counters: Readonly<TaskCounters>;
  readonly failures: number;
  readonly restarts: number;
}

interface ConnectorMeter {
  readonly running: Set<TaskCounters>;
  ended: TaskCounters;
  failures: number;
  restarts: number;
  /** Keys of tasks whose last loop failed. */
  readonly failed: Set<string>;
}

/**
 * Adds up the counters of task loops by connector. A loop begins at 0 and ends with its task. Sums of the loops that run would fall
 * with every restart, which a counter must never do.
 */
export class TaskMeter {
  readonly #meters = new Map<string, ConnectorMeter>();

  /** Makes a loop of a task and counts it. Throws what `create` throws. */
  counted<Loop extends Pick<TaskLoop, 'counters' | 'ended'>>(id: TaskId, create: () => Loop): Loop {
    const meter = this.#meterOf(id.connector);
    const key = taskKey(id);
    if (meter.failed.delete(key)) meter.restarts += 1;
    const noteFailure = (): void => {
      meter.failures += 1;
      meter.failed.add(key);
    };
    let loop: Loop;
    try {
      loop = create();
    } catch (error) {
      noteFailure();
      throw error;
    }
    const { counters } = loop;
    meter.running.add(counters);
    void loop.ended.then((end) => {
      meter.running.delete(counters);
      meter.ended = sumOf([meter.ended, { ...counters, bufferedRecords: 0, bufferedBytes: 0 }]);
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

  #meterOf(connector: string): ConnectorMeter {
    let meter = this.#meters.get(connector);
    if (meter === undefined) {
      meter = { running: new Set(), ended: newTaskCounters(), failures: 0, restarts: 0, failed: new Set() };
      this.#meters.set(connector, meter);
    }
    return meter;
  }
}

function sumOf(all: readonly Readonly<TaskCounters>[]): TaskCounters {
  const sum = newTaskCounters();
  for (const name of Object.keys(sum) as (keyof TaskCounters)[]) {
    for (const counters of all) sum[name] += counters[name];
  }
  return sum;
}
