import type { ReadEntry } from '@sluice/core';
import type { Verdict } from '@sluice/connector-verify';
import type { PlannedFault } from './fault-plan.js';

/** Both ends in milliseconds since the epoch. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A fault as it happened. */
export interface AppliedFault extends Interval {
  readonly fault: PlannedFault;
  /** Whom it struck; `broker` for the broker. */
  readonly nodeId: string;
  /** It led when the fault came. */
  readonly isLeader: boolean;
}

/** A task in a state, as the REST API first reported it. */
export interface TaskSighting {
  readonly connector: string;
  readonly task: number;
  readonly state: string;
  readonly workerId: string;
  readonly generation?: number;
  /** Since when, as its worker says; absent of a task that nobody runs. */
  readonly sinceMs?: number;
  readonly seenMs: number;
}

/** A command that changes nothing, and how it was answered. */
export interface CommandProbe {
  readonly sentMs: number;
  readonly answeredMs: number;
  /** HTTP status; 0 where the gateway did not answer at all. */
  readonly status: number;
}

/** A process that ended without a command. */
export interface UnaskedEnd {
  readonly nodeId: string;
  readonly atMs: number;
  /** The last that it logged. */
  readonly lastWords: string;
}

/** A source connector with one task, one queue, and a sink connector with one task. */
export interface Pipeline {
  readonly source: string;
  readonly sink: string;
  readonly verdict: Verdict;
}

/** All that was seen of a run. */
export interface Observations {
  /** From when on records arrived at every sink. */
  readonly beganMs: number;
  /** Until when they flowed as before; then the sources were to end. */
  readonly endedMs: number;
  readonly faults: readonly AppliedFault[];
  readonly sightings: readonly TaskSighting[];
  readonly probes: readonly CommandProbe[];
  /** When a control process beside the cluster got no CPU though it asked for it. */
  readonly stalls: readonly Interval[];
  readonly unaskedEnds: readonly UnaskedEnd[];
  readonly pipelines: readonly Pipeline[];
  /** What the cluster's log holds at the end. */
  readonly entries: readonly ReadEntry[];
}
