import type { GatewayLimits } from '@sluice/platform';

export interface GatewaySettings extends GatewayLimits {
  /** Shown by `GET /`. */
  readonly version: string;
  readonly commit: string;
}
