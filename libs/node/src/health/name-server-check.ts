import type { RocketMqClient } from '@sluice/rocketmq';
import type { NodeCheck } from './health-check.js';

const ASK_TIMEOUT_MS = 1500;

/** Checks that any name server of a cluster answers. */
export function nameServerCheck(name: 'namesrv' | 'data-namesrv', { admin }: Pick<RocketMqClient, 'admin'>): NodeCheck {
  return {
    name,
    check: async (signal) => {
      const addresses = admin.nameServers.addresses.join(', ');
      try {
        const { brokers } = await admin.clusterInfo({ timeoutMs: ASK_TIMEOUT_MS, signal });
        return { asked: addresses, brokers: brokers.length };
      } catch (error) {
        throw new Error(
          `No name server answers at ${addresses}: ${(error as Error).message}. Start one, or correct the addresses in the node's settings`,
          { cause: error },
        );
      }
    },
  };
}
