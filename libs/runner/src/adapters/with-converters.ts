import type { Connector } from '@sluice/sdk';

/** Returns the connector with the converters that the node prefers to those that the connector does. */
export function withConverters(connector: Connector, converters: { readonly key?: string; readonly value?: string }): Connector {
  return { ...connector, defaultConverters: { ...connector.defaultConverters, ...converters } };
}
