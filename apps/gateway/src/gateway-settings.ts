import { type ConfigSpec, requireConfig } from '@sluice/sdk';

/** Settings that only the gateway has, read from the environment. */
export const gatewaySettingsSpec = {
  SLUICE_GATEWAY_REQUEST_TIMEOUT_MS: {
    type: 'int',
    importance: 'medium',
    default: 90_000,
    min: 100,
    max: 600_000,
    doc: 'Longest time that a REST request waits for the cluster, in milliseconds.',
  },
  SLUICE_GATEWAY_MAX_STALENESS_MS: {
    type: 'int',
    importance: 'low',
    default: 30_000,
    min: 1000,
    max: 3_600_000,
    doc: 'Age of the view of the cluster above which requests are refused, in milliseconds.',
  },
  SLUICE_GATEWAY_MAX_BODY_BYTES: {
    type: 'int',
    importance: 'low',
    default: 1024 * 1024,
    min: 1024,
    max: 3 * 1024 * 1024,
    doc: 'Largest request body, in bytes.',
  },
} as const satisfies ConfigSpec;

export interface GatewaySettings {
  /** Shown by `GET /`. */
  readonly version: string;
  readonly commit: string;
  readonly requestTimeoutMs: number;
  readonly maxStalenessMs: number;
  readonly maxBodyBytes: number;
}

/**
 * Reads the gateway's own settings from environment variables; empty ones count as absent.
 *
 * @throws ConfigError naming every wrong variable.
 */
export function readGatewaySettings(
  environment: Readonly<Record<string, string | undefined>>,
  build: { readonly version: string; readonly commit: string },
): GatewaySettings {
  const given = Object.fromEntries(
    Object.keys(gatewaySettingsSpec).map((name) => [name, environment[name] === '' ? undefined : environment[name]]),
  );
  const value = requireConfig('The environment of the gateway', gatewaySettingsSpec, given);
  return {
    ...build,
    requestTimeoutMs: value.SLUICE_GATEWAY_REQUEST_TIMEOUT_MS,
    maxStalenessMs: value.SLUICE_GATEWAY_MAX_STALENESS_MS,
    maxBodyBytes: value.SLUICE_GATEWAY_MAX_BODY_BYTES,
  };
}
