import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, MessageTooLargeError } from '../errors.js';
import { checkMessage, PROXY_RULES, REMOTING_RULES } from './check-message.js';
import type { TopicMessage } from './message-port.js';
import { isSystemProperty, userProperties } from './system-properties.js';
import { MessageIds } from './message-id.js';

const body = Buffer.from('x');
const remoting = { ...REMOTING_RULES, maxMessageBytes: 100 };
const proxy = { ...PROXY_RULES, maxMessageBytes: 100 };

function withProperty(name: string, value: string): TopicMessage {
  return { body, properties: new Map([[name, value]]) };
}

describe('checkMessage', () => {
  it('takes what brokers store unchanged', () => {
    const message: TopicMessage = {
      body,
      tag: 'tag',
      keys: ['a', 'b'],
      messageId: 'id',
      messageGroup: 'group',
      deliverAt: 0,
      properties: new Map([['ключ', 'значение 😀 = | %']]),
    };
    expect(() => {
      checkMessage(message, proxy);
    }).not.toThrow();
  });

  it.each<[string, TopicMessage, string]>([
    ['an empty body', { body: Buffer.alloc(0) }, 'message body: empty'],
    ['a body that is text', { body: 'text' as unknown as Uint8Array }, 'body: expected a Buffer or another Uint8Array'],
    ['an empty tag', { body, tag: '' }, 'tag: empty'],
    ['a tag with a bar', { body, tag: 'a|b' }, "tag 'a|b'"],
    ['a key with a space', { body, keys: ['a', 'b c'] }, "key 'b c'"],
    ['an empty key', { body, keys: [''] }, 'key: empty'],
    ['an empty id', { body, messageId: '' }, 'messageId: empty'],
    ['a delivery time that is none', { body, deliverAt: 1.5 }, 'deliverAt 1.5'],
    ['a property without a name', withProperty('', 'v'), 'property ""'],
    ['a property without a value', withProperty('p', ''), 'property "p": the value is empty'],
    ["one of RocketMQ's names", withProperty('__SHARDINGKEY', 'v'), 'property "__SHARDINGKEY": RocketMQ uses'],
    ['a separator', withProperty('p', 'a\u0002b'), 'property "p": the value holds U+0002'],
    ['a separator in a name', withProperty('p\u0001', 'v'), 'property "p\\u0001"'],
  ])('refuses %s over both protocols', (_, message, reason) => {
    for (const rules of [remoting, proxy]) {
      expect(() => {
        checkMessage(message, rules);
      }).toThrow(InvalidArgumentError);
      expect(() => {
        checkMessage(message, rules);
      }).toThrow(reason);
    }
  });

  it.each(['a\nb', 'a\tb', '\u0000', '\u007f', '\u009f'])('refuses control characters over gRPC only: %j', (value) => {
    const message = withProperty('header', value);
    expect(() => {
      checkMessage(message, remoting);
    }).not.toThrow();
    expect(() => {
      checkMessage(message, proxy);
    }).toThrow('property "header": the value holds U+00');
  });

  it('refuses a body above the limit', () => {
    expect(() => {
      checkMessage({ body: Buffer.alloc(101) }, proxy);
    }).toThrow(MessageTooLargeError);
  });
});

describe('userProperties', () => {
  it("keeps what the producer set and drops RocketMQ's own", () => {
    const user = userProperties([
      ['a', '1'],
      ['UNIQ_KEY', 'id'],
      ['__SHARDINGKEY', 'g'],
      ['__RMQ.TRANSIENT.TOPIC_SYS_FLAG', '0'],
      ['b', '2'],
    ]);
    expect([...user]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    expect(isSystemProperty('toString')).toBe(false);
  });
});

describe('MessageIds', () => {
  it('never repeats, in one process or across several', () => {
    const makers = [new MessageIds(), new MessageIds()];
    const ids = Array.from({ length: 2_000 }, (_, at) => makers[at % 2]!.next());
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^01[0-9A-F]{32}$/);
  });
});
