import type { InstanceReport, TaskWait, TaskWarning } from '@sluice/core';
import type { LogScope, LogThreshold } from '@sluice/node';
import type { ErrorCopy, OffsetReset, PluginPackage, ResolvedTask, SourceTaskId, TaskCounters } from '@sluice/runtime';
import type { QueueRef, SinkPosition } from '@sluice/sdk';
import type { ThreadSpans } from '../traces/span-relay.js';

/** The main thread names each loop of a thread by a number that it never uses again there. */
interface OfLoop {
  readonly loop: number;
}

/** What the main thread and a task thread share of a loop. */
export interface SharedMemory {
  /** Where the thread shows the calls of the task: see `CallBoard`. */
  readonly calls: SharedArrayBuffer;
  /** What the thread measures of the task: see `TaskFigures`. */
  readonly figures: SharedArrayBuffer;
  /** What the tasks of the connector share: see `SharedRate`. */
  readonly rate: SharedArrayBuffer;
}

/** What the main thread sends to a task thread. Records are in none of these messages, nor in the others. */
export type ToThread =
  | (OfLoop & SharedMemory & { readonly kind: 'create'; readonly task: ResolvedTask })
  | (OfLoop & { readonly kind: 'start' | 'stop' | 'kill' | 'resume' })
  /** `pause` distinguishes answers to this pause from those to an earlier one. */
  | (OfLoop & { readonly kind: 'pause'; readonly pause: number })
  | { readonly kind: 'answered'; readonly question: number; readonly answer: Answer }
  /** Loops that are created from now on may need them. */
  | { readonly kind: 'packages'; readonly packages: readonly PluginPackage[] }
  | { readonly kind: 'close' };

export type Answer = { readonly value: unknown } | { readonly error: ErrorCopy };

/** What only the main thread knows: stored positions and agreed pairs, which it keeps folded for all threads, and keys that come from files. */
export type Question =
  | { readonly kind: 'open'; readonly task: SourceTaskId }
  | { readonly kind: 'refresh'; readonly task: SourceTaskId; readonly beforeMs: number }
  | { readonly kind: 'credentials'; readonly of: ClusterName }
  /** The pairs that a connector has agreed upon. */
  | { readonly kind: 'pairs'; readonly connector: string };

export type ClusterName = 'runtime' | 'data';

/** A loop as its report shows it; what did not change is left out. */
export interface LoopView extends OfLoop {
  readonly counters?: TaskCounters;
  readonly warnings?: readonly TaskWarning[];
  readonly waits?: readonly TaskWait[];
  readonly instance?: InstanceReport;
}

export type LoopEndCopy =
  { readonly kind: 'stopped'; readonly clean: boolean } | { readonly kind: 'failed'; readonly error: ErrorCopy; readonly clean: boolean };

/** What a task thread sends to the main thread. */
export type FromThread =
  | (OfLoop & { readonly kind: 'started' | 'completed' })
  | (OfLoop & { readonly kind: 'start-failed'; readonly error: ErrorCopy })
  /** The connector's instance needs a new generation. */
  | (OfLoop & { readonly kind: 'outdated' })
  /** The task has failed; the loop ends with the connector's instance. */
  | (OfLoop & { readonly kind: 'failed'; readonly error: ErrorCopy })
  | (OfLoop & { readonly kind: 'still'; readonly pause: number })
  | (OfLoop & { readonly kind: 'ended'; readonly end: LoopEndCopy })
  | { readonly kind: 'shown'; readonly loops: readonly LoopView[] }
  | { readonly kind: 'asked'; readonly question: number; readonly what: Question }
  | { readonly kind: 'logged'; readonly level: LogThreshold; readonly scope: LogScope; readonly text: string }
  | { readonly kind: 'reconfigure'; readonly connector: string }
  | { readonly kind: 'traced'; readonly traced: ThreadSpans }
  /** A sink reads a queue from an offset. */
  | (OfLoop & { readonly kind: 'opened'; readonly queue: QueueRef; readonly from: number })
  /** A sink's group has committed; where `resets` name another offset, that one holds. */
  | (OfLoop & {
      readonly kind: 'committed';
      readonly group: string;
      readonly positions: readonly SinkPosition[];
      readonly resets: readonly OffsetReset[];
    });
