import { describe, expect, it } from '@jest/globals';
import { REQUEST_CODE } from '../wire/request-code.js';
import { responseError } from './response-error.js';

/** Code and remark as brokers answered, and what they are. */
const ANSWERS: readonly (readonly [number, string, string, boolean])[] = [
  [1, '[PCBUSY_CLEAN_QUEUE]broker busy, period in queue: 300ms', 'FLOW_CONTROL', true],
  [2, '[OVERLOAD]system busy', 'FLOW_CONTROL', true],
  [3, ' request type 351 not supported', 'UNSUPPORTED_BY_BROKER', false],
  [16, 'User:nobody is not found, check your username and password', 'AUTHENTICATION', false],
  [16, 'User:u has no permission to access Topic:t from 127.0.0.1', 'AUTHORIZATION', false],
  [16, 'the broker[127.0.0.1] sending message is forbidden', 'BROKER_RESPONSE', false],
  [
    1,
    'org.apache.rocketmq.acl.common.AclException: No acl config for nobody, org.apache.rocketmq',
    'AUTHENTICATION',
    false,
  ],
  [
    1,
    'org.apache.rocketmq.acl.common.AclException: Check signature failed for accessKey=k, org',
    'AUTHENTICATION',
    false,
  ],
  [1, 'org.apache.rocketmq.acl.common.AclException: No default permission for t, org.apache', 'AUTHORIZATION', false],
  [1, 'request queueId[9] is illegal, TopicConfig [topicName=t] Producer: 127.0.0.1', 'BROKER_RESPONSE', false],
  [1, 'something failed', 'BROKER_RESPONSE', true],
  [14, 'no permission now', 'BROKER_RESPONSE', true],
];

describe('the error for a refusal', () => {
  it.each(ANSWERS)('code %i with "%s" is %s', (code, remark, expected, retriable) => {
    const reply = { code, remark, opaque: 1, flag: 1, ext: {}, body: Buffer.alloc(0) };
    const error = responseError(reply, { code: REQUEST_CODE.GET_TOPIC_CONFIG, ext: {} }, '10.0.0.1:10911');
    expect(error).toMatchObject({ code: expected, retriable, request: 'GET_TOPIC_CONFIG', address: '10.0.0.1:10911' });
    expect(error).toMatchObject({ responseCode: code, remark });
  });
});
