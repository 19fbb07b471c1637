import { describe, expect, it } from '@jest/globals';
import type { RemotingRequest } from '../wire/remoting-codec.js';
import { REQUEST_CODE } from '../wire/request-code.js';
import { signRequest } from './sign-request.js';

const CREDENTIALS = { accessKey: 'rocketmq2', secretKey: '12345678' };
const ROUTE: RemotingRequest = {
  code: REQUEST_CODE.GET_ROUTEINFO_BY_TOPIC,
  ext: { topic: 'TopicTest', acceptStandardJsonOnly: 'true' },
};

describe('signRequest', () => {
  it('gives the signatures that RocketMQ 5.5.0 gives', () => {
    expect(signRequest(ROUTE, CREDENTIALS).ext).toEqual({
      ...ROUTE.ext,
      AccessKey: 'rocketmq2',
      Signature: 'EvCVn1/pIhQGNcZnAZsj264sC2k=',
    });
    const withBody = { ...ROUTE, ext: { username: 'u1' }, body: Buffer.from('{"password":"p"}') };
    expect(signRequest(withBody, CREDENTIALS).ext['Signature']).toBe('jwIj5UbjqLsS3cIn6AUulzPUrqI=');
  });

  it('signs a request that is signed already like one that is not', () => {
    expect(signRequest(signRequest(ROUTE, CREDENTIALS), CREDENTIALS)).toEqual(signRequest(ROUTE, CREDENTIALS));
  });

  it('signs the security token with the rest', () => {
    const signed = signRequest(ROUTE, { ...CREDENTIALS, securityToken: 'token' });
    expect(signed.ext['SecurityToken']).toBe('token');
    expect(signed.ext['Signature']).not.toBe('EvCVn1/pIhQGNcZnAZsj264sC2k=');
  });
});
