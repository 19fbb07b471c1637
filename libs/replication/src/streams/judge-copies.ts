import type { CopyEvent, CopyProgress } from './sink-stream.js';

export interface JudgedCopies {
  /** How far the stream has come by these events; `undefined` where no valid one says so. */
  readonly progress: CopyProgress | undefined;
  /** Whether nothing before these events can change what `progress` says. */
  readonly isProven: boolean;
  /** The greatest generation among them; 0 where there is none. */
  readonly newest: number;
  /** Copies that an earlier generation sent behind the barrier of a later one: readers of Sluice drop them, others see them. */
  readonly late: number;
  /** Copies that were sent a second time: readers of Sluice drop them, others see them. */
  readonly repeated: number;
}

/**
 * Judges what a stream has in a part of its queue, by the rules of Sluice's readers.
 *
 * Whether the last copy is valid may depend on what lies before the part: a barrier that voids it. It does not where the barrier of its own
 * generation, or a mark, is in the part. Nor where the part has more copies of its generation than one that lost its queue can still send.
 *
 * @param events in the order of the queue
 * @param maxLate how many copies a generation can still send after another has taken the queue over
 */
export function judgeCopies(events: readonly CopyEvent[], maxLate: number): JudgedCopies {
  let newest = 0;
  let begun = 0;
  let late = 0;
  let repeated = 0;
  let progress: CopyProgress | undefined;
  let generation = 0;
  let copies = 0;
  for (const event of events) {
    if (event.kind !== 'stamp') {
      newest = Math.max(newest, event.generation);
      begun = Math.max(begun, event.generation);
    }
    if (event.progress === undefined) continue;
    if (event.generation < newest) {
      if (event.kind === 'stamp') late++;
      continue;
    }
    newest = event.generation;
    // A mark may take a stream back, but its copies are numbered on.
    if (event.kind === 'stamp' && event.generation === generation && progress !== undefined && event.progress.seq <= progress.seq) {
      repeated++;
      continue;
    }
    copies = event.generation === generation ? copies + 1 : 1;
    generation = event.generation;
    progress = event.progress;
  }
  return { progress, isProven: progress !== undefined && (begun >= generation || copies > maxLate), newest, late, repeated };
}
