import { describe, expect, it } from '@jest/globals';
import {
  BrokerNotFoundError,
  type BrokerResponseError,
  ConnectFailedError,
  ConnectionClosedError,
  ConnectionOverloadedError,
  FlowControlError,
  MalformedDataError,
  RequestTimeoutError,
  TlsHandshakeError,
  TopicNotFoundError,
} from '../../errors.js';
import { REQUEST_CODE } from '../../wire/request-code.js';
import { responseError } from '../../routing/response-error.js';
import { failureVerdict } from './failure-verdict.js';

const answer = (responseCode: number, remark = ''): { request: string; address: string; responseCode: number; remark: string } => ({
  request: 'SEND_BATCH_MESSAGE',
  address: 'b',
  responseCode,
  remark,
});
const response = (code: number, remark?: string, count = 1): BrokerResponseError =>
  responseError(
    { code, remark: remark ?? '', opaque: 1, flag: 1, ext: {}, body: Buffer.alloc(0) },
    { code: REQUEST_CODE.SEND_BATCH_MESSAGE, ext: {} },
    'b',
    count,
  );
const known = { count: 5, isBrokerKnown: true };

describe('what becomes of a failed send', () => {
  it.each([
    new FlowControlError(answer(2)),
    new ConnectFailedError('b', 'refused'),
    new ConnectionClosedError('b', 'not-sent', 'gone'),
    new ConnectionOverloadedError('b', 9),
    new RequestTimeoutError('send', 1, 'not-sent'),
    new TopicNotFoundError('t'),
    new BrokerNotFoundError('b', [], ''),
    response(14, 'service not available now'),
    response(1, 'create mapped file failed, server is busy or broken.'),
    response(2, '[PC_SYNCHRONIZED]broker busy, start flow control for a while'),
    response(2, '[TIMEOUT_CLEAN_QUEUE]broker busy, start flow control for a while, period in queue: 205ms, size of queue: 3'),
  ])('is another attempt after $name: $message', (error) => {
    expect(failureVerdict(error, known)).toBe('resend');
  });

  it.each([
    new ConnectionClosedError('b', 'unknown', 'gone'),
    new RequestTimeoutError('send', 1, 'unknown'),
    new TlsHandshakeError('b', 'refused'),
    new MalformedDataError('reply', 'x'),
    response(1, 'UNKNOWN_ERROR'),
    response(1, 'in-sync replicas not enough'),
    response(1, '[PC_SYNCHRONIZED]broker busy, start flow control for a while'),
    response(14, 'service not available now', 2),
    response(16, 'no permission'),
    response(29, 'The specified topic contains illegal characters'),
    new Error('a mistake'),
  ])('is an error for the caller after $name: $message', (error) => {
    expect(failureVerdict(error, known)).toBe('reject');
  });

  it('is an error where the broker was never part of the topic', () => {
    for (const error of [new TopicNotFoundError('t'), new BrokerNotFoundError('b', [], '')]) {
      expect(failureVerdict(error, { count: 1, isBrokerKnown: false })).toBe('reject');
    }
  });

  it.each([
    response(29, 'request queueId[9] is illegal, TopicConfig [topicName=t] Producer: 127.0.0.1'),
    response(1, 'request queueId[9] is illegal, TopicConfig [topicName=t] Producer: 127.0.0.1'),
    response(501, 't-3 does not exit in request process of current broker b'),
    response(16, 'the broker[127.0.0.1] sending message is forbidden'),
  ])('is another queue after $message', (error) => {
    expect(failureVerdict(error, known)).toBe('elsewhere');
  });

  it('is one send per message where one of several is illegal', () => {
    expect(failureVerdict(response(13), known)).toBe('isolate');
    expect(failureVerdict(response(13), { ...known, count: 1 })).toBe('reject');
  });
});
