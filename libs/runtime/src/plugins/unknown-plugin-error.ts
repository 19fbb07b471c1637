import { ConnectError, ConnectErrorCode } from '@sluice/sdk';

/** No connector has that name; the message lists those that are there, in Kafka Connect's words. */
export class UnknownPluginError extends ConnectError {
  constructor(
    readonly className: string,
    readonly available: readonly string[],
  ) {
    super(
      ConnectErrorCode.pluginNotFound,
      `Failed to find any class that implements Connector and which name matches ${className}, ` +
        `available connectors are: ${available.join(', ')}`,
    );
  }
}
