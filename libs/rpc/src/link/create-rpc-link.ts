import { parseMessagingUrl } from '@sluice/rocketmq';
import type { ResolvedRpcEndpointOptions } from '../contract/rpc-endpoint-options.js';
import type { RpcLink } from '../contract/rpc-link.port.js';
import { GrpcLink } from './grpc-link.js';
import { RemotingLink } from './remoting-link.js';

/** Creates the link that the scheme of the cluster's URL names. */
export function createRpcLink(options: ResolvedRpcEndpointOptions): RpcLink {
  return parseMessagingUrl(options.url).protocol === 'grpc' ? new GrpcLink(options) : new RemotingLink(options);
}
