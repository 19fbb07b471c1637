import { createHmac, randomUUID } from 'node:crypto';
import type { Metadata } from '@grpc/grpc-js';
import type { Credentials } from '../connection/credentials.js';
import { grpc } from './protobuf.js';

/** The level of the protocol that is spoken here: the Proxy compares it with the versions that brought a feature. */
const PROTOCOL_LEVEL = '5.0.8';

/**
 * Returns what goes with every call: who calls, and, with credentials, the proof: the upper case hex of the HMAC-SHA1 over
 * `x-mq-date-time`. The Proxy does not check how old the date is, so only TLS keeps a call from being repeated by others.
 */
export function callMetadata(clientId: string, credentials: Credentials | undefined, now: Date): Metadata {
  const metadata = new grpc.Metadata();
  const dateTime = compactDateTime(now);
  metadata.set('x-mq-client-id', clientId);
  // Older proxies know this language only of those that are not Java's own; the package says the same.
  metadata.set('x-mq-language', 'HTTP');
  metadata.set('x-mq-client-version', PROTOCOL_LEVEL);
  metadata.set('x-mq-protocol', 'v2');
  metadata.set('x-mq-request-id', randomUUID());
  metadata.set('x-mq-namespace', '');
  metadata.set('x-mq-date-time', dateTime);
  if (credentials === undefined) return metadata;
  const { accessKey, secretKey, securityToken } = credentials;
  if (securityToken !== undefined) metadata.set('x-mq-session-token', securityToken);
  const signature = createHmac('sha1', secretKey).update(dateTime).digest('hex').toUpperCase();
  metadata.set('authorization', `MQv2-HMAC-SHA1 Credential=${accessKey}, SignedHeaders=x-mq-date-time, Signature=${signature}`);
  return metadata;
}

/** `yyyyMMdd'T'HHmmss'Z'` */
function compactDateTime(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}
