import type { ConnectorInstance, SinkTask, SourceTask } from '@sluice/sdk';
import type { TaskFigures, TaskOperation } from '../task/task-figures.js';
import type { CallBoard, TaskCall } from './call-board.js';

/** All that the runtime calls, so that none is missing: the compiler compares them with the contract. */
const SOURCE_CALLS: Readonly<Record<keyof SourceTask & TaskCall, true> & Record<keyof SourceTask, true>> = {
  start: true,
  poll: true,
  commitRecord: true,
  commit: true,
  stop: true,
};
const SINK_CALLS: Readonly<Record<keyof SinkTask & TaskCall, true> & Record<keyof SinkTask, true>> = {
  start: true,
  open: true,
  put: true,
  tick: true,
  flush: true,
  close: true,
  stop: true,
};

/** The calls that are made once per batch. */
const TIMED_CALLS: Readonly<Partial<Record<TaskCall, TaskOperation>>> = { poll: 'poll', put: 'put', flush: 'flush' };

/** Returns the task with each of its calls shown on the board, and those of batches timed. */
export function watchedSource(task: SourceTask, board: CallBoard, figures: TaskFigures): SourceTask {
  return watched(task, Object.keys(SOURCE_CALLS) as (keyof SourceTask)[], board, figures);
}

/** As {@link watchedSource}, of a sink. */
export function watchedSink(task: SinkTask, board: CallBoard, figures: TaskFigures): SinkTask {
  return watched(task, Object.keys(SINK_CALLS) as (keyof SinkTask)[], board, figures);
}

/** Returns the instance of the task's connector with its calls shown on the board of the task. */
export function watchedInstance(instance: ConnectorInstance, board: CallBoard): ConnectorInstance {
  return {
    start: (context) => board.run('instance start', () => instance.start(context)),
    stop: () => board.run('instance stop', () => instance.stop()),
  };
}

function watched<T extends object>(task: T, calls: readonly (keyof T & TaskCall)[], board: CallBoard, figures: TaskFigures): T {
  const shown: Partial<Record<TaskCall, unknown>> = {};
  for (const call of calls) {
    const method: unknown = task[call];
    // The runtime asks whether a task has those that are optional.
    if (typeof method !== 'function') continue;
    const operation = TIMED_CALLS[call];
    const timed =
      operation === undefined
        ? undefined
        : (durationMs: number): void => {
            figures.observe(operation, durationMs);
          };
    shown[call] = (...given: readonly unknown[]): unknown => board.run(call, (): unknown => method.apply(task, given), timed);
  }
  return shown as T;
}
