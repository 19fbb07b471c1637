import type { ClusterNode } from '../cluster-node/cluster-node.js';
import { NO_PROXY } from '../settings/cluster-address.js';
import type { NodeSettings } from '../settings/node-settings.js';
import type { RpcEndpoint } from '@sluice/rpc';
import { atMostEvery, type HealthChecks, type NodeCheck } from './health-check.js';
import { logCheck } from './log-check.js';
import { nameServerCheck } from './name-server-check.js';
import { storeCheck } from './store-check.js';
import { topicsCheck } from './topics-check.js';

const TOPICS_INTERVAL_MS = 5000;
const STORE_INTERVAL_MS = 3000;

/**
 * Lists the checks of a role. Every role needs a name server, the topics, the log up to its end, a store that takes writes, and the rpc topic.
 *
 * @param own - what only this role needs
 */
export function nodeChecks(node: ClusterNode, rpc: RpcEndpoint, ...own: readonly NodeCheck[]): HealthChecks {
  return {
    live: [
      {
        name: 'process',
        check: () => {
          if (node.failed !== undefined) throw new Error(`The node cannot continue and ends: ${node.failed.message}`);
          return {};
        },
      },
    ],
    ready: [
      nameServerCheck('namesrv', node.client),
      atMostEvery(TOPICS_INTERVAL_MS, topicsCheck(node)),
      logCheck(node.follower, node.logQueue),
      atMostEvery(STORE_INTERVAL_MS, storeCheck(node.store.directory)),
      rpcCheck(rpc, node.settings),
      ...own,
    ],
  };
}

function rpcCheck(rpc: RpcEndpoint, { grpc, namesrv }: Pick<NodeSettings, 'grpc' | 'namesrv'>): NodeCheck {
  const servers = grpc === NO_PROXY ? { namesrv } : { proxy: grpc };
  const [what, setting] = grpc === NO_PROXY ? [`cluster at ${namesrv}`, 'namesrv'] : [`Proxy ${grpc}`, 'grpc'];
  return {
    name: 'rpc',
    check: () => {
      if (rpc.state === 'ready') return servers;
      throw new Error(
        `The ${what} cannot be used (${rpc.state}), so questions between nodes wait: start it, or correct its address in the setting ${setting}`,
      );
    },
  };
}
