import { describe, expect, it } from '@jest/globals';
import { REQUEST_CODE } from '../wire/request-code.js';
import { responseError, isMessageRefused } from './response-error.js';

/** Code and remark as brokers answered, and what they are. */
const ANSWERS: readonly (readonly [number, string, string, boolean])[] = [
  [1, '[PCBUSY_CLEAN_QUEUE]broker busy, period in queue: 300ms', 'FLOW_CONTROL', true],
  [2, '[OVERLOAD]system busy', 'FLOW_CONTROL', true],
  [3, ' request type 351 not supported', 'UNSUPPORTED_BY_BROKER', false],
  [16, 'User:nobody is not found, check your username and password', 'AUTHENTICATION', false],
  [16, 'User:u has no permission to access Topic:t from 127.0.0.1', 'AUTHORIZATION', false],
  [16, 'the broker[127.0.0.1] sending message is forbidden', 'BROKER_RESPONSE', false],
  [1, 'org.apache.rocketmq.acl.common.AclException: No acl config for nobody, org.apache.rocketmq', 'AUTHENTICATION', false],
  [1, 'org.apache.rocketmq.acl.common.AclException: Check signature failed for accessKey=k, org', 'AUTHENTICATION', false],
  [1, 'org.apache.rocketmq.acl.common.AclException: No default permission for t, org.apache', 'AUTHORIZATION', false],
  [1, 'request queueId[9] is illegal, TopicConfig [topicName=t] Producer: 127.0.0.1', 'BROKER_RESPONSE', false],
  [1, 'java.lang.RuntimeException: message body size exceeded, org.apache.rocketmq.store', 'BROKER_RESPONSE', false],
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

/** Code and remark as brokers answer sends, the number of messages, and whether that proves that none is stored. */
const SEND_ANSWERS: readonly (readonly [number, string, number, 'not-sent' | 'unknown'])[] = [
  // A DLedger leader's time-out, of 5.0 and later and of 4.x: its followers may get the message yet.
  [1, 'in-sync replicas not enough', 1, 'unknown'],
  [1, '[PC_SYNCHRONIZED]broker busy, start flow control for a while', 1, 'unknown'],
  // In 5.3 and later only a full page cache.
  [2, '[PC_SYNCHRONIZED]broker busy, start flow control for a while', 9, 'not-sent'],
  [2, '[REJECTREQUEST]system busy, start flow control for a while', 9, 'not-sent'],
  [2, '[OVERLOAD]system busy, start flow control for a while', 9, 'not-sent'],
  [2, '[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: 205ms', 9, 'not-sent'],
  [1, 'create mapped file failed, server is busy or broken.', 9, 'not-sent'],
  [1, 'timer message is under flow control, max num limit is 2 or the current value', 1, 'not-sent'],
  [1, 'accurate timer message is not enabled, timerWheelEnable is false', 1, 'not-sent'],
  [1, 'request queueId[9] is illegal, TopicConfig [topicName=t] Producer: 127.0.0.1', 9, 'not-sent'],
  [1, 'org.apache.rocketmq.acl.common.AclException: No acl config for nobody, org.apache', 9, 'not-sent'],
  [1, 'java.lang.RuntimeException: message body size exceeded, org.apache.rocketmq.store', 9, 'not-sent'],
  [1, 'java.lang.RuntimeException: message size exceeded, org.apache.rocketmq.store', 9, 'not-sent'],
  [1, 'UNKNOWN_ERROR', 1, 'unknown'],
  [1, 'UNKNOWN_ERROR DEFAULT', 1, 'unknown'],
  [1, 'store putMessage return null', 1, 'unknown'],
  [1, 'topic named [REJECTREQUEST] failed', 1, 'unknown'],
  [3, ' request type 320 not supported', 9, 'not-sent'],
  [13, 'the message is illegal, maybe msg body or properties length not matched.', 9, 'not-sent'],
  [14, 'service not available now. It may be caused by one of the following reasons: the broker', 1, 'not-sent'],
  // A DLedger leader that loses its role within a batch keeps the first messages.
  [14, 'service not available now. It may be caused by one of the following reasons: the broker', 2, 'unknown'],
  [16, 'the broker[127.0.0.1] sending message is forbidden', 9, 'not-sent'],
  [17, 'topic[t] not exist, apply first please!', 9, 'not-sent'],
  [29, 'request queueId[9] is illegal, TopicConfig [topicName=t] Producer: 127.0.0.1', 9, 'not-sent'],
  [501, 't-3 does not exit in request process of current broker b', 9, 'not-sent'],
  [215, 'flow control', 9, 'not-sent'],
  [4711, 'a code of a later version', 1, 'unknown'],
];

describe('what an answer to a send proves', () => {
  it.each(SEND_ANSWERS)('code %i with "%s" to %i messages: %s', (code, remark, count, outcome) => {
    const reply = { code, remark, opaque: 1, flag: 1, ext: {}, body: Buffer.alloc(0) };
    const error = responseError(reply, { code: REQUEST_CODE.SEND_BATCH_MESSAGE, ext: {} }, 'b', count);
    expect(error.outcome).toBe(outcome);
  });
});

it.each([
  [13, 'the message is illegal, maybe msg body or properties length not matched.', true],
  [1, 'java.lang.RuntimeException: message body size exceeded, org.apache.rocketmq.store', true],
  [1, 'UNKNOWN_ERROR', false],
  [2, '[REJECTREQUEST]system busy', false],
])('code %i with "%s" refuses what is in the messages: %s', (responseCode, remark, isRefused) => {
  expect(isMessageRefused({ responseCode, remark })).toBe(isRefused);
});
