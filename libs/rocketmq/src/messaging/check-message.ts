import { InvalidArgumentError, MessageTooLargeError } from '../errors.js';
import { checkBody } from '../wire/batch-encoder.js';
import type { TopicMessage } from './message-port.js';
import { isSystemProperty } from './system-properties.js';

export interface MessageRules {
  /** Characters that neither names nor values of properties may hold. */
  readonly forbidden: RegExp;
  /** What `forbidden` stands for, for error messages. */
  readonly forbiddenName: string;
  /** The broker's `maxMessageSize`. */
  readonly maxMessageBytes: number;
}

/** Two characters separate stored properties from each other; halves of surrogate pairs would become U+FFFD. */
export const REMOTING_RULES = {
  // eslint-disable-next-line no-control-regex -- the characters of the format
  forbidden: /[\u0001\u0002\p{Cs}]/u,
  forbiddenName: 'U+0001, U+0002 and halves of surrogate pairs',
} as const;

/** Java's ISO control characters, which the Proxy refuses, and what would become U+FFFD. */
export const PROXY_RULES = {
  // eslint-disable-next-line no-control-regex -- the characters that the Proxy names
  forbidden: /[\u0000-\u001f\u007f-\u009f\p{Cs}]/u,
  forbiddenName: 'control characters (U+0000-U+001F, U+007F-U+009F) and halves of surrogate pairs',
} as const;

/**
 * Says of a message, before it is sent, what the broker would refuse, lose or change without saying so.
 * @throws InvalidArgumentError that names the property, MessageTooLargeError
 */
export function checkMessage(message: TopicMessage, rules: MessageRules): void {
  const { body, tag, keys, properties, messageId, messageGroup, deliverAt } = message;
  checkBody(body);
  if (body.length === 0) throw new InvalidArgumentError('message body: empty, brokers take at least one byte');
  if (body.length > rules.maxMessageBytes) {
    throw new MessageTooLargeError('message body', body.length, rules.maxMessageBytes);
  }
  if (tag !== undefined) {
    checkText('tag', tag, rules);
    if (tag.includes('|')) throw new InvalidArgumentError(`tag '${tag}': '|' is not allowed, filters join tags by it`);
  }
  for (const key of keys ?? []) {
    checkText('key', key, rules);
    if (/\s/.test(key)) throw new InvalidArgumentError(`key '${key}': keys hold no white space, they are joined by it`);
  }
  if (messageId !== undefined) checkText('messageId', messageId, rules);
  if (messageGroup !== undefined) checkText('messageGroup', messageGroup, rules);
  if (deliverAt !== undefined && (!Number.isSafeInteger(deliverAt) || deliverAt < 0)) {
    throw new InvalidArgumentError(`deliverAt ${deliverAt}: expected ms since the epoch`);
  }
  if (properties !== undefined) for (const [name, value] of properties) checkProperty(name, value, rules);
}

function checkText(what: string, text: string, { forbidden, forbiddenName }: MessageRules): void {
  if (text.trim() === '') throw new InvalidArgumentError(`${what}: empty, leave it out instead`);
  if (forbidden.test(text)) {
    throw new InvalidArgumentError(`${what} ${JSON.stringify(text)}: ${forbiddenName} are not allowed`);
  }
}

function checkProperty(name: string, value: string, { forbidden, forbiddenName }: MessageRules): void {
  const shown = `property ${JSON.stringify(name)}`;
  if (name.length === 0) throw new InvalidArgumentError(`${shown}: the name may not be empty`);
  if (isSystemProperty(name)) throw new InvalidArgumentError(`${shown}: RocketMQ uses this name itself`);
  if (value.length === 0) throw new InvalidArgumentError(`${shown}: the value is empty, brokers lose empty values`);
  if (forbidden.test(name)) throw new InvalidArgumentError(`${shown}: ${forbiddenName} are not allowed in a name`);
  const found = forbidden.exec(value)?.[0];
  if (found !== undefined) {
    const code = `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    throw new InvalidArgumentError(`${shown}: the value holds ${code}; ${forbiddenName} are not allowed, encode it`);
  }
}
