import { InvalidArgumentError } from '../errors.js';
import type { QueueRef } from './topic-route.js';

const MAX_TOPIC_CHARS = 127;
const MAX_GROUP_CHARS = 120;
const NAME = /^[%|a-zA-Z0-9_-]+$/;
/** The brokers put attributes into one line of text with these between them. */
const ATTRIBUTE_NAME = /^[a-zA-Z0-9._-]+$/;
const ATTRIBUTE_VALUE = /^[^,=\s]+$/;

/** @throws InvalidArgumentError */
export function checkTopicName(topic: string): void {
  checkName('topic', topic, MAX_TOPIC_CHARS);
}

/** @throws InvalidArgumentError */
export function checkGroupName(group: string, field = 'group'): void {
  checkName(field, group, MAX_GROUP_CHARS);
}

function checkName(field: string, name: string, maxChars: number): void {
  if (!NAME.test(name) || name.length > maxChars) {
    throw new InvalidArgumentError(`${field} '${name}': allowed are 1 to ${maxChars} of [%|a-zA-Z0-9_-]`);
  }
}

/** @throws InvalidArgumentError */
export function checkInteger(field: string, value: number, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    const allowed = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `${min} to ${max}`;
    throw new InvalidArgumentError(`${field} ${value}: allowed are integers ${allowed}`);
  }
}

/** @throws InvalidArgumentError */
export function checkNotEmpty(field: string, value: string): void {
  if (value === '') throw new InvalidArgumentError(`${field} '': allowed is any text but the empty one`);
}

/** @throws InvalidArgumentError */
export function checkQueue(queue: QueueRef): void {
  checkTopicName(queue.topic);
  checkNotEmpty('queue.brokerName', queue.brokerName);
  checkInteger('queue.queueId', queue.queueId, 0);
}

/** What is to be set and what is to be removed. @throws InvalidArgumentError */
export function checkAttributes(set: Readonly<Record<string, string>>, removed: readonly string[]): void {
  for (const name of [...Object.keys(set), ...removed]) {
    if (!ATTRIBUTE_NAME.test(name)) {
      throw new InvalidArgumentError(`attribute name '${name}': allowed are 1 or more of [a-zA-Z0-9._-]`);
    }
  }
  for (const [name, value] of Object.entries(set)) {
    if (!ATTRIBUTE_VALUE.test(value)) {
      throw new InvalidArgumentError(`attribute ${name} '${value}': allowed is text without comma, '=' and space`);
    }
    if (removed.includes(name)) throw new InvalidArgumentError(`attribute ${name}: set and removed in one call`);
  }
}
