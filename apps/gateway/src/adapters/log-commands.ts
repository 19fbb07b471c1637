import type { CommandBody, CommandOutcome } from '@sluice/core';
import { CommandUnansweredError, type CommandSender as LogCommandSender } from '@sluice/node';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import type { CommandPort } from '../ports/command-sender.port.js';
import { ControlPlaneUnavailableError } from '../ports/control-plane-unavailable.error.js';

/** Commands through their topic. */
export class LogCommands implements CommandPort {
  constructor(private readonly sender: LogCommandSender) {}

  async submit(body: CommandBody, { timeoutMs }: { readonly timeoutMs: number }): Promise<CommandOutcome> {
    try {
      return await this.sender.submit(body, timeoutMs);
    } catch (error) {
      if (!(error instanceof CommandUnansweredError)) throw error;
      if (!error.mayHappen) throw new ControlPlaneUnavailableError(error.message, { cause: error });
      throw new ConnectError(ConnectErrorCode.timeout, error.message, { retriable: true, cause: error });
    }
  }
}
