import type { ClusterState, ReportsView } from '@sluice/core';
import type { LiveReports, LogFollower } from '@sluice/node';
import type { ClusterReadModel } from '../ports/cluster-read-model.port.js';

/** What the node has folded of log and reports. The node is opened only once it has read the log up to its head. */
export class LogReadModel implements ClusterReadModel {
  constructor(
    private readonly follower: LogFollower,
    private readonly live: LiveReports,
  ) {}

  state(): ClusterState {
    return this.follower.state;
  }

  reports(): ReportsView {
    return this.live.view;
  }

  isCaughtUp(): boolean {
    return this.follower.state.head.seq >= 0;
  }

  ageMs(): number {
    return this.follower.ageMs;
  }

  leaderSilentMs(): number {
    return this.follower.leaderSilentMs;
  }
}
