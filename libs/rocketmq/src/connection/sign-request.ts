import { createHmac } from 'node:crypto';
import type { RemotingRequest } from '../wire/remoting-codec.js';
import type { Credentials } from './credentials.js';

/**
 * Returns the request with the fields that prove its sender: `AccessKey`, `SecurityToken` and `Signature`. `Signature` is the
 * base64 of the HMAC-SHA1 over all other fields' values, in the order of their names (UTF-16 units), and the body. ACL 1.0
 * and 2.0 sign alike (`AclUtils.combineRequestContent`, `AclSigner` of RocketMQ).
 */
export function signRequest(request: RemotingRequest, credentials: Credentials): RemotingRequest {
  const { accessKey, secretKey, securityToken } = credentials;
  const ext: Record<string, string> = { ...request.ext, AccessKey: accessKey };
  delete ext['Signature'];
  if (securityToken !== undefined) ext['SecurityToken'] = securityToken;
  const hmac = createHmac('sha1', secretKey);
  for (const name of Object.keys(ext).sort()) hmac.update(ext[name] ?? '', 'utf8');
  if (request.body !== undefined) hmac.update(request.body);
  ext['Signature'] = hmac.digest('base64');
  return { ...request, ext };
}
