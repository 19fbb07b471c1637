/** The way to a cluster through its gRPC Proxy; the package's main entry loads it only for a `rocketmq+grpc` URL. */
export { GrpcMessaging, type GrpcMessagingOptions } from './grpc-messaging.js';
