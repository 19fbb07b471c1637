import type { CommandBody, CommandOutcome } from '@sluice/core';
import { CommandUnansweredError, type CommandSender as LogCommandSender, type LogFollower } from '@sluice/platform';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import type { CommandSender } from './ports/command-sender.port.js';
import { ControlPlaneUnavailableError } from './ports/control-plane-unavailable.error.js';

/** Silence of the leader after which commands are refused at once, in milliseconds: well over the lease within which another one takes over. */
const leaderlessAfterMs = 10_000;

/** Commands through their topic, refused while no coordinator leads. */
export class LogCommands implements CommandSender {
  constructor(
    private readonly sender: LogCommandSender,
    private readonly follower: LogFollower,
  ) {}

  async submit(body: CommandBody, { timeoutMs }: { readonly timeoutMs: number }): Promise<CommandOutcome> {
    const silentMs = this.follower.leaderSilentMs;
    if (silentMs > leaderlessAfterMs) {
      throw new ControlPlaneUnavailableError(
        `No coordinator leads: the last one was heard of ${(silentMs / 1000).toFixed(0)} s ago. Nothing was changed`,
      );
    }
    try {
      return await this.sender.submit(body, timeoutMs);
    } catch (error) {
      if (!(error instanceof CommandUnansweredError)) throw error;
      if (!error.mayHappen) throw new ControlPlaneUnavailableError(error.message, { cause: error });
      throw new ConnectError(ConnectErrorCode.timeout, error.message, { retriable: true, cause: error });
    }
  }
}
