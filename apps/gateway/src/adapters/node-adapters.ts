import type { CommandBody, CommandOutcome, ClusterState, ReportsView } from '@sluice/core';
import { CommandUnansweredError, type CommandSender, type LiveReports, type LogFollower } from '@sluice/node';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { type CommandPort, ControlPlaneUnavailableError, type ClusterReadModel } from '../ports/gateway-ports.js';

/** Sends commands through their topic. */
export class LogCommands implements CommandPort {
  constructor(private readonly sender: CommandSender) {}

  async submit(body: CommandBody, options: Parameters<CommandPort['submit']>[1]): Promise<CommandOutcome> {
    try {
      return await this.sender.submit(body, options);
    } catch (error) {
      if (!(error instanceof CommandUnansweredError)) throw error;
      if (!error.mayHappen) throw new ControlPlaneUnavailableError(error.message, { cause: error });
      throw new ConnectError(ConnectErrorCode.timeout, error.message, { retriable: true, cause: error });
    }
  }
}

/** Reads what the node has folded of log and reports. The node is open only once it has read the log up to its head. */
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
