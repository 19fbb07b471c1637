import { type CommandBody, type CommandOutcome } from '@sluice/core';

export interface CommandPort {
  /**
   * Writes a command and resolves with its result once the log shows it, and this gateway's read model with it.
   *
   * @throws ControlPlaneUnavailableError when nothing was written: the gateway answers 503.
   * @throws ConnectError with code `CONNECT_TIMEOUT` when the command was written and no result was read within `timeoutMs`; it may
   *   still take effect. The gateway answers 500 `Request timed out. …`, as Kafka Connect does.
   */
  submit(body: CommandBody, options: { readonly timeoutMs: number }): Promise<CommandOutcome>;
}
