import type { ErrorStage } from '@sluice/protocol';

/** What is timed of a task. */
export const TASK_OPERATIONS = ['poll', 'convert', 'send', 'put', 'flush', 'commit'] as const;
export type TaskOperation = (typeof TASK_OPERATIONS)[number];

/** Upper bounds of durations, in seconds. */
export const DURATION_BOUNDS = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60] as const;

/** Stages at which a source's records fail, and those of a sink's. */
export const SOURCE_STAGES = [
  'TASK_POLL',
  'TRANSFORMATION',
  'KEY_CONVERTER',
  'VALUE_CONVERTER',
  'HEADER_CONVERTER',
  'ROCKETMQ_PRODUCE',
] as const satisfies readonly ErrorStage[];
export const SINK_STAGES = [
  'ROCKETMQ_CONSUME',
  'KEY_CONVERTER',
  'VALUE_CONVERTER',
  'HEADER_CONVERTER',
  'TRANSFORMATION',
  'TASK_PUT',
] as const satisfies readonly ErrorStage[];
const STAGES: readonly ErrorStage[] = [...new Set<ErrorStage>([...SOURCE_STAGES, ...SINK_STAGES])];

/** How many durations of one operation are up to each bound and above the one before, or above all. Behind them, their sum. */
const BUCKETS = DURATION_BOUNDS.length + 1;
const TIMES_CELLS = BUCKETS + 1;
const FIRST_ERROR_CELL = TASK_OPERATIONS.length * TIMES_CELLS;
/** What adds up over the runs of a task. */
const SUMMED_CELLS = FIRST_ERROR_CELL + STAGES.length;
const Cell = { lastCommitMs: SUMMED_CELLS, maxBufferedRecords: SUMMED_CELLS + 1, maxBufferedBytes: SUMMED_CELLS + 2 } as const;
const CELLS = SUMMED_CELLS + Object.keys(Cell).length;

const firstCellOf = (operation: TaskOperation): number => TASK_OPERATIONS.indexOf(operation) * TIMES_CELLS;

/** Durations of one operation. */
export interface OperationTimes {
  /** For each of {@link DURATION_BOUNDS}, and for what took longer than all, how many are in this bucket alone. */
  readonly counts: readonly number[];
  /** Seconds. */
  readonly sum: number;
}

/**
 * Figures of one run of a task, in memory that other threads read meanwhile. Only the thread of the loop writes, a few times per batch. A cell is a
 * double at its natural place in memory, which the 64-bit machines that Node runs on store at once.
 */
export class TaskFigures {
  readonly #cells: Float64Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(CELLS * Float64Array.BYTES_PER_ELEMENT)) {
    this.#cells = new Float64Array(memory);
  }

  /** Notes how long something took, in milliseconds. */
  observe(operation: TaskOperation, durationMs: number): void {
    const first = firstCellOf(operation);
    const seconds = durationMs / 1000;
    let bucket = 0;
    while (bucket < DURATION_BOUNDS.length && seconds > (DURATION_BOUNDS[bucket] ?? 0)) bucket++;
    this.#add(first + bucket, 1);
    this.#add(first + BUCKETS, seconds);
  }

  /** Counts a record that failed for good. */
  noteError(stage: ErrorStage): void {
    this.#add(FIRST_ERROR_CELL + STAGES.indexOf(stage), 1);
  }

  /** Notes that positions or offsets were committed, by a monotonic clock that all threads share. */
  noteCommit(nowMs: number): void {
    this.#cells[Cell.lastCommitMs] = nowMs;
  }

  /** When the last commit was made; 0 before the first one. */
  get lastCommitMs(): number {
    return this.#cells[Cell.lastCommitMs] ?? 0;
  }

  /** Notes what the task may buffer at most. */
  limitBuffer({ records, bytes }: { readonly records: number; readonly bytes: number }): void {
    this.#cells[Cell.maxBufferedRecords] = records;
    this.#cells[Cell.maxBufferedBytes] = bytes;
  }

  /** Returns which part of the buffer is in use, by records or bytes, whichever is more; 0 before the limits are known. */
  fillOf({ records, bytes }: { readonly records: number; readonly bytes: number }): number {
    const [maxRecords = 0, maxBytes = 0] = [this.#cells[Cell.maxBufferedRecords], this.#cells[Cell.maxBufferedBytes]];
    return Math.max(maxRecords === 0 ? 0 : records / maxRecords, maxBytes === 0 ? 0 : bytes / maxBytes);
  }

  /** Adds durations and errors to a sum. */
  addTo(sum: FigureSum): void {
    sum.add(this.#cells);
  }

  #add(cell: number, value: number): void {
    this.#cells[cell] = (this.#cells[cell] ?? 0) + value;
  }
}

/** Durations and errors of several runs or tasks. */
export class FigureSum {
  readonly #cells = new Float64Array(SUMMED_CELLS);

  add(cells: Float64Array): void {
    for (let cell = 0; cell < SUMMED_CELLS; cell++) this.#cells[cell] = (this.#cells[cell] ?? 0) + (cells[cell] ?? 0);
  }

  addTo(sum: FigureSum): void {
    sum.add(this.#cells);
  }

  timesOf(operation: TaskOperation): OperationTimes {
    const first = firstCellOf(operation);
    return { counts: [...this.#cells.subarray(first, first + BUCKETS)], sum: this.#cells[first + BUCKETS] ?? 0 };
  }

  errorsAt(stage: ErrorStage): number {
    return this.#cells[FIRST_ERROR_CELL + STAGES.indexOf(stage)] ?? 0;
  }
}
