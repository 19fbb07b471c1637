import type { GatewayOptions } from '@sluice/node';

export interface GatewaySettings extends GatewayOptions {
  /** Shown by `GET /`. */
  readonly version: string;
  readonly commit: string;
}

/** What Nest injects that is no class. */
export const gatewaySettingsToken = Symbol('GatewaySettings');
