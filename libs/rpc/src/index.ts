export { abortableDelay } from './abortable-delay.js';
export { nodeGroup, nodeTag } from './node-tag.js';
export { RocketMqClientProxy, type RocketMqPattern } from './rocketmq.client.js';
export { RocketMqContext } from './rocketmq.context.js';
export { ROCKETMQ_TRANSPORT, RocketMqServer } from './rocketmq.server.js';
export { type RpcCounters } from './rpc-counters.js';
export { RpcEndpoint, type RpcEndpointState, type RpcSendOptions, type RpcTarget } from './rpc-endpoint.js';
export { type RpcEndpointOptions, type TransportLogger } from './rpc-endpoint-options.js';
export { isRpcError, RPC_ERROR_CODES, RpcError, type RpcErrorCode } from './rpc-error.js';
export { RpcErrorFilter } from './rpc-error.filter.js';
export { type RpcErrorPayload } from './rpc-error-payload.js';
export {
  type InboundMessage,
  type OutboundMessage,
  type RpcLink,
  type RpcLinkListener,
  type RpcLinkState,
} from './link/rpc-link.port.js';
export { type RpcMetadata } from './rpc-message.js';
export { type RpcDelivery, type RpcHandler } from './rpc-serving.js';
export { RpcTimeoutError } from './rpc-timeout.error.js';
export { isTopicUnknown } from './link/link-error.js';
