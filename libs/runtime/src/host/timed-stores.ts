import type { OffsetStore } from '../ports/offset-store.port.js';
import type { PositionStore } from '../ports/position-store.port.js';
import type { TaskFigures } from '../task/task-figures.js';
import { sharedNowMs } from './call-board.js';

/** Returns the store with each write of positions timed, and noted as a commit where it succeeds. */
export function timedPositions(positions: PositionStore, figures: TaskFigures): PositionStore {
  return {
    open: (task) => positions.open(task),
    refresh: (task, beforeMs) => positions.refresh(task, beforeMs),
    write: (task, change) => timedCommit(figures, () => positions.write(task, change)),
  };
}

/** As {@link timedPositions}, with each commit of offsets. */
export function timedOffsets(offsets: OffsetStore, figures: TaskFigures): OffsetStore {
  return {
    read: (group, queue) => offsets.read(group, queue),
    commit: (group, positions) => timedCommit(figures, () => offsets.commit(group, positions)),
    takeReset: (group, reset) => offsets.takeReset(group, reset),
    foreignConsumers: (group, queue) => offsets.foreignConsumers(group, queue),
  };
}

async function timedCommit<T>(figures: TaskFigures, commit: () => Promise<T>): Promise<T> {
  const beganMs = performance.now();
  try {
    const result = await commit();
    figures.noteCommit(sharedNowMs());
    return result;
  } finally {
    figures.observe('commit', performance.now() - beganMs);
  }
}
