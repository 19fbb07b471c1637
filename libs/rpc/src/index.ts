export { nodeGroup, nodeTag } from './contract/node-tag.js';
export { RocketMqClientProxy, type RocketMqPattern } from './nest/rocketmq.client.js';
export { RocketMqContext } from './nest/rocketmq.context.js';
export { ROCKETMQ_TRANSPORT, RocketMqServer } from './nest/rocketmq.server.js';
export { type RpcCounters } from './endpoint/rpc-counters.js';
export { RpcEndpoint, type RpcEndpointState, type RpcSendOptions, type RpcTarget } from './endpoint/rpc-endpoint.js';
export { type RpcEndpointOptions, type TransportLogger } from './contract/rpc-endpoint-options.js';
export { isRpcError, RPC_ERROR_CODES, RpcError, type RpcErrorCode, RpcTimeoutError } from './contract/rpc-error.js';
export { RpcErrorFilter } from './nest/rpc-error.filter.js';
export { type RpcErrorPayload } from './contract/rpc-error-payload.js';
export {
  type InboundMessage,
  type OutboundMessage,
  type RpcLink,
  type RpcLinkListener,
  type RpcLinkState,
} from './contract/rpc-link.port.js';
export { type RpcMetadata } from './contract/rpc-message.js';
export { type RpcDelivery, type RpcHandler } from './endpoint/rpc-serving.js';
export { isTopicUnknown } from './link/link-error.js';
