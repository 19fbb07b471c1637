import { encodeProperties, type QueueRef } from '@sluice/rocketmq';
import type { LetterMessage } from '../dead-letters/letter.js';

export const QUEUE: QueueRef = { topic: 'orders-dead', brokerName: 'broker-a', queueId: 3 };

/** The context of a letter that a sink wrote. */
export const SINK_CONTEXT: Readonly<Record<string, string>> = {
  '__connect.errors.topic': 'orders',
  '__connect.errors.partition': '5',
  '__connect.errors.offset': '17',
  '__connect.errors.broker.name': 'broker-b',
  '__connect.errors.queue.id': '5',
  '__connect.errors.connector.name': 'orders-out',
  '__connect.errors.task.id': '2',
  '__connect.errors.stage': 'VALUE_CONVERTER',
  '__connect.errors.exception.class.name': 'ConversionError',
  '__connect.errors.exception.message': 'The bytes are not JSON',
};

/** The context of a letter that a source wrote. */
export const SOURCE_CONTEXT: Readonly<Record<string, string>> = {
  '__connect.errors.topic': 'numbers',
  '__connect.errors.source.partition': '{"file":"a"}',
  '__connect.errors.connector.name': 'numbers-in',
  '__connect.errors.stage': 'TRANSFORMATION',
};

/** Makes a message of a dead letter topic. */
export function letterMessage(properties: Readonly<Record<string, string>>, message: Partial<LetterMessage> = {}): LetterMessage {
  const body = message.body ?? Buffer.from('no json');
  return {
    queueOffset: 8,
    storeTimestamp: 2_000,
    bornTimestamp: 1_000,
    flag: 9,
    body,
    bodyBytes: body.length,
    rawProperties: Buffer.from(encodeProperties(Object.entries(properties)), 'utf8'),
    properties: () => new Map(Object.entries(properties)),
    ...message,
  };
}
