import { ConnectError, ConnectErrorCode, type TaskConfig } from '@sluice/sdk';

/** In the settings of a sink task: how many tasks divide the queues. Written when a connector is split, not by users. */
export const taskCountSetting = 'sluice.task.count';

/** @throws ConnectError when the settings were not made by splitting a connector. */
export function taskCountOf(config: TaskConfig): number {
  const count = Number(config[taskCountSetting]);
  if (Number.isInteger(count) && count > 0) return count;
  throw new ConnectError(
    ConnectErrorCode.configInvalid,
    `${taskCountSetting} is "${config[taskCountSetting] ?? ''}"; expected is the number of the connector's tasks`,
  );
}
