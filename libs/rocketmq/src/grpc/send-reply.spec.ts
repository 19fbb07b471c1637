import { describe, expect, it } from '@jest/globals';
import { BrokerResponseError, FlowControlError, TopicNotFoundError } from '../errors.js';
import { readSendReply } from './send-reply.js';
import { isMessageRefused, isSessionLost, statusError } from './status-error.js';

const OK = { code: 20_000, message: 'OK' };
const asked = { request: 'SendMessage', address: 'proxy:8081', topic: 'topic' };
const messages = ['a', 'b', 'c'].map((messageId) => ({ messageId, message: { body: Buffer.from('x') } }));

describe('readSendReply', () => {
  it('counts on from the one entry for all messages', () => {
    const outcomes = readSendReply({ status: OK, entries: [{ status: OK, offset: 7 }] }, messages, asked, 'broker-a');
    expect(outcomes).toEqual([
      { status: 'stored', messageId: 'a', brokerName: 'broker-a', offset: 7 },
      { status: 'stored', messageId: 'b', brokerName: 'broker-a', offset: 8 },
      { status: 'stored', messageId: 'c', brokerName: 'broker-a', offset: 9 },
    ]);
  });

  it('takes one entry per message as it is', () => {
    const busy = { code: 42_900, message: 'busy' };
    const entries = [
      { status: OK, offset: 5 },
      { status: busy, offset: 0 },
      { status: OK, offset: 9 },
    ];
    const outcomes = readSendReply({ status: { code: 30_000, message: 'MULTIPLE_RESULTS' }, entries }, messages, asked, undefined);
    expect(outcomes[0]).toMatchObject({ status: 'stored', offset: 5 });
    expect(outcomes[1]).toMatchObject({ status: 'failed', error: expect.any(FlowControlError), mayBeStored: false });
    expect(outcomes[2]).toMatchObject({ status: 'stored', offset: 9 });
  });

  it.each([50_002, 50_401, 50_402])('says stored, without an offset, for code %d', (code) => {
    const status = { code, message: 'not replicated' };
    const outcomes = readSendReply({ status, entries: [{ status, offset: 0 }] }, messages.slice(0, 1), asked, 'b');
    expect(outcomes).toEqual([{ status: 'stored', messageId: 'a', brokerName: 'b' }]);
  });

  it('fails all messages with the status of the call', () => {
    const outcomes = readSendReply({ status: { code: 40_402, message: 'none' }, entries: [] }, messages, asked, 'b');
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'failed', error: expect.any(TopicNotFoundError), mayBeStored: false });
    }
    expect(outcomes.map(({ messageId }) => messageId)).toEqual(['a', 'b', 'c']);
  });

  it.each([40_800, 50_000, 50_001, 50_400])('says that code %d may hide a stored message', (code) => {
    const status = { code, message: 'trouble' };
    const [outcome] = readSendReply({ status, entries: [] }, messages, asked, 'b');
    expect(outcome).toMatchObject({ status: 'failed', mayBeStored: true, error: { retriable: true } });
  });

  it('knows a refusal under load by its words', () => {
    const status = { code: 50_001, message: 'CODE: 2 [PCBUSY_CLEAN_QUEUE] broker busy' };
    const [outcome] = readSendReply({ status, entries: [] }, messages, asked, 'b');
    expect(outcome).toMatchObject({ error: expect.any(FlowControlError), mayBeStored: false });
  });

  it('does not guess when the number of entries fits nothing', () => {
    const entries = [
      { status: OK, offset: 1 },
      { status: OK, offset: 2 },
    ];
    for (const outcome of readSendReply({ status: OK, entries }, messages, asked, 'b')) {
      expect(outcome).toMatchObject({ status: 'failed', mayBeStored: true, error: { code: 'MALFORMED_DATA' } });
    }
  });
});

describe('statusError', () => {
  it.each([
    [40_100, 'check signature failed', 'AUTHENTICATION', false],
    [40_100, 'User:a has no permission to access Topic:t', 'AUTHORIZATION', false],
    [40_403, 'no group', 'BROKER_RESPONSE', false],
    [42_900, 'slow down', 'FLOW_CONTROL', true],
    [50_400, 'timeout', 'BROKER_RESPONSE', true],
    [99_999, 'of a later version', 'BROKER_RESPONSE', false],
  ])('%d %j is %s, retriable %s', (code, message, expected, retriable) => {
    expect(statusError({ code, message }, asked)).toMatchObject({ code: expected, retriable });
  });

  it('distinguishes a message that is refused from a call that is', () => {
    const refused = [40_004, 40_007, 40_014, 41_301, 43_101];
    const others = [40_100, 40_403, 42_900, 50_001, 50_400];
    const isRefused = (code: number): boolean => isMessageRefused(statusError({ code, message: '' }, asked));
    expect(refused.map(isRefused)).toEqual(refused.map(() => true));
    expect(others.map(isRefused)).toEqual(others.map(() => false));
  });

  it('knows when the Proxy has no settings of the client', () => {
    const lost = 'Cannot invoke "apache.rocketmq.v2.Settings.getClientType()" because "settings" is null';
    expect(isSessionLost(statusError({ code: 50_001, message: lost }, asked))).toBe(true);
    expect(isSessionLost(statusError({ code: 40_015, message: '' }, asked))).toBe(true);
    expect(isSessionLost(statusError({ code: 50_001, message: 'other' }, asked))).toBe(false);
    expect(isSessionLost(new BrokerResponseError({ ...asked, responseCode: 14, remark: '' }, { retriable: true }))).toBe(false);
  });
});
