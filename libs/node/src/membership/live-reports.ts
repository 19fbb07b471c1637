import { LatestReports, type Report, type ReportsView } from '@sluice/core';
import type { LogFollower } from '../log/log-follower.js';
import type { ReportsChannel } from './reports-channel.js';

/** The latest report of each node, read as they come. */
export class LiveReports {
  readonly #latest = new LatestReports();
  readonly #ended = new AbortController();
  #following: Promise<void> = Promise.resolve();

  constructor(
    private readonly channel: ReportsChannel,
    private readonly follower: LogFollower,
    private readonly onFailure: (error: Error) => void,
  ) {
    follower.subscribe(({ state, accepted }) => {
      if (accepted.some(({ entry }) => entry.event.kind === 'member.left')) this.#latest.forgetDeparted(state);
    });
  }

  get view(): ReportsView {
    return this.#latest.view;
  }

  /** Reports of nodes that are members of the cluster now. */
  ofMembers(): readonly Report[] {
    const { members } = this.follower.state;
    return [...this.view.values()].filter((report) => members.get(report.nodeId)?.incarnation === report.incarnation);
  }

  start(): void {
    this.#following = this.channel
      .follow((messages) => {
        for (const message of messages) if (message.kind === 'report') this.#latest.take(message.report);
      }, this.#ended.signal)
      .catch((error: unknown) => {
        this.onFailure(error as Error);
      });
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#following;
  }
}
