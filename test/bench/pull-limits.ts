import { PULL_LIMITS, type PullLimits, ROCKETMQ_PULL_LIMITS } from '@sluice/embedded-rocketmq';
import type { RocketMqClient } from '@sluice/rocketmq';

export interface PullSetting {
  readonly name: string;
  readonly limits: PullLimits;
}

/** What a bench measures with: the limits of brokers that Sluice starts, then those of a broker that nobody configured. */
export const PULL_SETTINGS: readonly PullSetting[] = [
  { name: "Sluice's limits of a pull", limits: PULL_LIMITS },
  { name: "RocketMQ's limits of a pull", limits: ROCKETMQ_PULL_LIMITS },
];

/** Gives all brokers these limits at once, and returns how the figures are to be headed. */
export async function useLimits(client: RocketMqClient, { name, limits }: PullSetting): Promise<string> {
  const { brokers } = await client.admin.clusterInfo();
  for (const { brokerName } of brokers) await client.admin.brokers.updateConfig(brokerName, limits);
  const settings = Object.entries(limits).map(([key, value]) => `${key}=${value}`);
  return `${name} (${settings.join(', ')})`;
}
