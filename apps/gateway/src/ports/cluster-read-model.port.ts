import { type ClusterState, type ReportsView } from '@sluice/core';

/** What this gateway has read of the log and of the nodes' reports. */
export interface ClusterReadModel {
  /** The same immutable value until the next entry is folded. */
  state(): ClusterState;
  reports(): ReportsView;
  /** False until everything that the log held at the start of the process is folded. */
  isCaughtUp(): boolean;
  /** Milliseconds since the head of the log was last known to be reached. */
  ageMs(): number;
  /** Milliseconds since something of a leader was read, or since this began to listen. */
  leaderSilentMs(): number;
}
