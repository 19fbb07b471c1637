import type { Worker } from '../assignment/assignment-types.js';
import { TaskIndex } from '../assignment/task-index.js';
import type { RecordDigest } from '../log/record-digest.js';
import type { ClusterState, LogHead } from '../model/cluster-state.js';
import type { Command } from '../model/command.js';
import type { Report } from '../model/report.js';
import type { SnapshotRecord } from '../model/snapshot.js';
import type { ClockReading, ElapsedTime } from '../lease/elapsed-time.js';
import type { Effect } from './effect.js';
import type { SplitAnswer } from './input.js';
import { defaultCoordinatorSettings, type CoordinatorSettings } from './settings.js';

export interface CoordinatorSelf {
  readonly nodeId: string;
  readonly incarnation: string;
  /** The incarnation before this one on the same state directory. */
  readonly supersedes?: string;
}

/** That a node lives. */
export interface LifeSign {
  readonly queue: number;
  /** When the first and the last report of this incarnation were read; monotonic. */
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface KnownReport extends LifeSign {
  readonly report: Report;
}

/** What the own probes say about one queue of the reports topic; monotonic times. */
export interface ProbeState {
  readonly lastSentAt: number;
  /** Send times of probes that are not back, oldest first. */
  readonly outstanding: readonly number[];
  /** Send time of the last probe that came back. */
  readonly provenAt: number;
  readonly isStalled: boolean;
  /** Silence is counted from here: the end of the last stall. */
  readonly graceFrom: number;
}

export interface InFlight {
  readonly appendId: number;
  readonly claimId: string;
  /** When it was decided; monotonic, and earlier by the time for which that clock has stopped since. */
  readonly sentAt: number;
  /** `seq` of the last entry, if all are accepted. */
  readonly lastSeq: number;
  /** It holds what others may act on, or numbers that stay. */
  readonly isTelling: boolean;
  readonly settled: { readonly outcome: 'stored' | 'unknown'; readonly at: number; readonly lastOffset: number | undefined } | undefined;
}

export interface OpenQuestion {
  readonly configVersion: number;
  /** Who was asked, and when; undefined while it waits for `notBefore`. */
  readonly asked: { readonly nodeId: string; readonly at: number } | undefined;
  readonly notBefore: number;
  readonly failures: number;
  /** Nodes that did not answer or had no such plugin. */
  readonly tried: readonly string[];
  readonly answer: Extract<SplitAnswer, { kind: 'tasks' | 'error' }> | undefined;
}

/** What the last look at the members was based on, which found nothing to do: while it stands, another would find nothing either. */
export interface SettledMembers {
  readonly members: ClusterState['members'];
  readonly news: number;
  /** Of each member there was a life sign. */
  readonly isEachHeard: boolean;
  /** Monotonic: from then on a member may have been silent for too long. */
  readonly until: number;
}

/** The runners that can be given tasks, as of the members and of what was news of them. */
export interface Workforce {
  readonly members: ClusterState['members'];
  readonly news: number;
  readonly draining: ClusterState['draining'];
  readonly workers: readonly Worker[];
  /** None is suspected, and all were heard. */
  readonly isCalm: boolean;
  /** Distinguishes one that can get other tasks from another. */
  readonly readiness: string;
}

/** What the last assignment was computed from: while it stands, another would say the same. */
export interface PlanBasis {
  /** Of the index: how the tasks stand. */
  readonly version: number;
  readonly members: ClusterState['members'];
  readonly readiness: string;
  readonly draining: ClusterState['draining'];
  readonly settings: ClusterState['settings'];
  /** Monotonic. */
  readonly at: number;
}

/** A snapshot that this leader writes, one chunk per append, with pauses. */
export interface SnapshotJob {
  /** Monotonic: no chunk is written before. */
  readonly notBefore: number;
  readonly snapshotId: string;
  readonly asOf: LogHead;
  readonly records: readonly SnapshotRecord[];
  /** Where each chunk begins, as far as that is known; the first is 0. */
  readonly cuts: readonly SnapshotCut[];
}

export interface SnapshotCut {
  /** Index of the chunk's first record. */
  readonly from: number;
  /** Of the records before it. */
  readonly digest: RecordDigest;
}

export interface CoordinatorState {
  readonly self: CoordinatorSelf;
  readonly settings: CoordinatorSettings;
  readonly cluster: ClusterState;
  readonly time: ElapsedTime;
  /** What the broker's clock said at a moment of the own one, `now`; undefined before a message said so. */
  readonly brokerTime: { readonly storedAt: number; readonly now: number } | undefined;
  readonly role: 'standby' | 'candidate' | 'leader';
  readonly nextOffset: number;
  /** When the last accepted entry was read, or this coordinator started. */
  readonly lastAcceptedAt: number;
  /** When the last own append was decided that a leader has read back: it led then. Earlier by the time for which the clock has stopped since. */
  readonly lastConfirmedAt: number;
  /** Send time of the last pull that proved to be at the head. */
  readonly headProvenAt: number | undefined;
  /** The first entry that retention has left, as of the last proof. */
  readonly logMinOffset: number;
  readonly appends: number;
  readonly appendFailures: number;
  readonly appendNotBefore: number;
  readonly inFlight: InFlight | undefined;
  readonly leaderSince: number;
  /** By `memberKey`; changed in place, as a leader of a thousand nodes reads a thousand reports a second. */
  readonly reports: Map<string, KnownReport>;
  /** Grows with every change of `reports`. */
  readonly reportChanges: number;
  /** Nodes that were heard and of which no whole report is known, by `memberKey`. */
  readonly heard: ReadonlyMap<string, LifeSign & { readonly reportSeq: number }>;
  /** Grows whenever a report says more than that its member keeps running, and whenever a report is forgotten. */
  readonly news: number;
  readonly settledMembers: SettledMembers | undefined;
  /** Incarnations whose last report may free or mark tasks. */
  readonly touched: ReadonlySet<string>;
  /** When the suspicion of a member was read, by `memberKey`. */
  readonly suspicions: ReadonlyMap<string, number>;
  readonly probes: ReadonlyMap<number, ProbeState>;
  readonly commands: readonly { readonly offset: number; readonly command: Command }[];
  /** Id of the reading of the commands queue whose commands count. */
  readonly commandReads: number;
  /** The commands queue was found to end before the next command: it has to be read from here again. */
  readonly rewindTo: number | undefined;
  /** Commands at this offset or later were rejected because the queue was full. */
  readonly commandsCutAt: number | undefined;
  /** By connector name. */
  readonly questions: ReadonlyMap<string, OpenQuestion>;
  /** The tasks by owner and need, kept from step to step: it says nothing that `cluster` does not. */
  readonly index: TaskIndex;
  readonly workforce: Workforce | undefined;
  readonly planned: PlanBasis | undefined;
  readonly snapshotJob: SnapshotJob | undefined;
  readonly isStopping: boolean;
  readonly hasEnded: boolean;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** One step under way: the next state as it grows, and what is to be done. */
export interface Turn {
  readonly now: number;
  readonly wall: number;
  readonly next: Mutable<CoordinatorState>;
  readonly effects: Effect[];
}

/** What proves that an incarnation lives. */
export function lifeSignOf({ reports, heard }: CoordinatorState, key: string): LifeSign | undefined {
  return reports.get(key) ?? heard.get(key);
}

/** A standby that knows `cluster` and reads the log from its head on. */
export function initialCoordinator(
  self: CoordinatorSelf,
  cluster: ClusterState,
  { now, wall }: ClockReading,
  settings: Partial<CoordinatorSettings> = {},
): CoordinatorState {
  return {
    self,
    settings: { ...defaultCoordinatorSettings, ...settings },
    cluster,
    time: { now, wall, stoodStillMs: 0 },
    brokerTime: undefined,
    role: 'standby',
    nextOffset: cluster.head.offset + 1,
    lastAcceptedAt: now,
    lastConfirmedAt: now,
    headProvenAt: undefined,
    logMinOffset: 0,
    appends: 0,
    appendFailures: 0,
    appendNotBefore: now,
    inFlight: undefined,
    leaderSince: now,
    reports: new Map(),
    reportChanges: 0,
    heard: new Map(),
    news: 0,
    settledMembers: undefined,
    touched: new Set(),
    suspicions: new Map(),
    probes: new Map(),
    commands: [],
    commandReads: 0,
    rewindTo: undefined,
    commandsCutAt: undefined,
    questions: new Map(),
    index: new TaskIndex(),
    workforce: undefined,
    planned: undefined,
    snapshotJob: undefined,
    isStopping: false,
    hasEnded: false,
  };
}
