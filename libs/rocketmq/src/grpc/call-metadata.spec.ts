import { describe, expect, it } from '@jest/globals';
import { callMetadata } from './call-metadata.js';

const NOW = new Date('2026-11-05T06:07:08.999Z');

describe('callMetadata', () => {
  it('names the client and signs nothing without credentials', () => {
    const { authorization, ...rest } = callMetadata('client-1', undefined, NOW).getMap();
    expect(authorization).toBeUndefined();
    expect(rest).toMatchObject({
      'x-mq-client-id': 'client-1',
      'x-mq-protocol': 'v2',
      'x-mq-date-time': '20261105T060708Z',
    });
  });

  it('signs the date with the secret key and never sends the key', () => {
    const credentials = { accessKey: 'ak', secretKey: 'the secret', securityToken: 'token' };
    const headers = callMetadata('client-1', credentials, NOW).getMap();
    // printf %s 20261105T060708Z | openssl dgst -sha1 -hmac 'the secret'
    expect(headers['authorization']).toBe(
      'MQv2-HMAC-SHA1 Credential=ak, SignedHeaders=x-mq-date-time, Signature=E6C52DC8524164E2E74D002AEF333D2A0EAC86C8',
    );
    expect(headers['x-mq-session-token']).toBe('token');
    expect(JSON.stringify(headers)).not.toContain('the secret');
  });
});
