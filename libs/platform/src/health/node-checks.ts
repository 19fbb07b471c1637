import type { RpcEndpoint } from '../transport/index.js';
import type { ClusterNode } from '../node/cluster-node.js';
import type { ReadinessCheck } from './readiness-check.js';

const probeTimeoutMs = 1500;

/** What every role needs to be ready: the log can be read up to its end, and questions arrive. */
export function nodeChecks(node: ClusterNode, rpc: RpcEndpoint): readonly ReadinessCheck[] {
  return [
    {
      name: 'log',
      check: async () => {
        await node.follower.proveHead(AbortSignal.timeout(probeTimeoutMs));
        const { head, epoch } = node.follower.state;
        return { seq: head.seq, epoch };
      },
    },
    {
      name: 'rpc',
      check: () => {
        if (rpc.state !== 'ready') throw new Error(`the Proxy ${node.settings.grpc} is ${rpc.state}`);
        return {};
      },
    },
  ];
}
