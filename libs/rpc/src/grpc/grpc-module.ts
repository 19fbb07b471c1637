import { createRequire } from 'node:module';
import protocol from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import stubs from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_grpc_pb.js';
import messages from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import clientUtil from 'rocketmq-client-nodejs/dist/util/index.js';

type Stub = InstanceType<typeof stubs.MessagingServiceClient>;
export type ChannelCredentials = ConstructorParameters<typeof stubs.MessagingServiceClient>[1];

interface GrpcCredentials {
  createInsecure(): ChannelCredentials;
  createSsl(ca?: Buffer | null, key?: Buffer | null, cert?: Buffer | null): ChannelCredentials;
}

// The credentials must come from the very copy of grpc-js that the client's stubs were built on, so it is resolved from there.
const fromClient = createRequire(createRequire(import.meta.url).resolve('rocketmq-client-nodejs'));

export const grpcCredentials = (fromClient('@grpc/grpc-js') as { credentials: GrpcCredentials }).credentials;
export const { MessagingServiceClient } = stubs;
export const { createDuration } = clientUtil;
export type MessagingStub = Stub;
export { messages, protocol };
