import { createRequire } from 'node:module';
import type * as GrpcJs from '@grpc/grpc-js';
import type Protocol from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import type Stubs from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_grpc_pb.js';
import type Messages from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import { PackageMissingError } from '../errors.js';

/** `google.protobuf.Timestamp` and `Duration`: google-protobuf brings no types of its own. */
interface SecondsAndNanos {
  getSeconds(): number;
  getNanos(): number;
  setSeconds(seconds: number): this;
  setNanos(nanos: number): this;
}
type SecondsAndNanosClass = new () => SecondsAndNanos;

const CLIENT = 'rocketmq-client-nodejs';

/** Loads modules from where the client is installed: the stubs, and the copies of gRPC and Protobuf that they were built on. */
const fromClient = requireFromClient();
const protocol = fromClient(`${CLIENT}/proto/apache/rocketmq/v2/definition_pb.js`) as typeof Protocol;
const stubs = fromClient(`${CLIENT}/proto/apache/rocketmq/v2/service_grpc_pb.js`) as typeof Stubs;
const messages = fromClient(`${CLIENT}/proto/apache/rocketmq/v2/service_pb.js`) as typeof Messages;
const { Timestamp } = fromClient('google-protobuf/google/protobuf/timestamp_pb.js') as {
  readonly Timestamp: SecondsAndNanosClass;
};
const { Duration } = fromClient('google-protobuf/google/protobuf/duration_pb.js') as {
  readonly Duration: SecondsAndNanosClass;
};

export const grpc = fromClient('@grpc/grpc-js') as typeof GrpcJs;
export const { MessagingServiceClient } = stubs;
export type MessagingStub = InstanceType<typeof stubs.MessagingServiceClient>;
export { messages, protocol };
export type ServiceError = GrpcJs.ServiceError;

const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;

export function timestampOf(ms: number): SecondsAndNanos {
  return fill(new Timestamp(), ms);
}

export function durationOf(ms: number): SecondsAndNanos {
  return fill(new Duration(), ms);
}

/** Milliseconds of a `Timestamp`, which the stubs' types leave open; undefined where there is none. */
export function millisecondsOf(timestamp: unknown): number | undefined {
  const point = timestamp as SecondsAndNanos | undefined;
  if (point === undefined) return undefined;
  return point.getSeconds() * MS_PER_SECOND + Math.floor(point.getNanos() / NANOS_PER_MS);
}

export function resourceOf(name: string): InstanceType<typeof protocol.Resource> {
  return new protocol.Resource().setName(name);
}

/** Returns the entries of a protobuf map, which the stubs' types leave open. */
export function mapOf(map: unknown): {
  set(name: string, value: string): unknown;
  entries(): Iterable<[string, string]>;
} {
  return map as { set(name: string, value: string): unknown; entries(): Iterable<[string, string]> };
}

/** The client is an optional peer of this package. @throws PackageMissingError */
function requireFromClient(): NodeJS.Require {
  try {
    return createRequire(createRequire(import.meta.url).resolve(CLIENT));
  } catch (cause) {
    throw new PackageMissingError(CLIENT, '1.0.8', 'gRPC', cause);
  }
}

function fill<T extends SecondsAndNanos>(target: T, ms: number): T {
  const seconds = Math.floor(ms / MS_PER_SECOND);
  return target.setSeconds(seconds).setNanos(Math.floor((ms - seconds * MS_PER_SECOND) * NANOS_PER_MS));
}
