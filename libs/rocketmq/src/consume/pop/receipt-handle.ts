import { InvalidArgumentError, MalformedDataError } from '../../errors.js';

/**
 * What a broker needs to know which delivery of which message is meant. Its text is `extraInfo` of the remoting protocol
 * and the receipt handle of the Proxy. Spaces separate its fields: check point offset, pop time, invisible time, revive
 * queue, kind of topic, broker, queue, offset. What follows is ignored.
 */
export interface Receipt {
  readonly checkPointOffset: number;
  /** Broker's clock, ms since the epoch. */
  readonly popTime: number;
  readonly invisibleMs: number;
  readonly reviveQueueId: number;
  readonly topicKind: TopicKind;
  readonly brokerName: string;
  readonly queueId: number;
  readonly queueOffset: number;
}

/** The topic itself, or one of the two retry topics of the group. */
export const TOPIC_KIND = { NORMAL: '0', RETRY_V1: '1', RETRY_V2: '2' } as const;
export type TopicKind = (typeof TOPIC_KIND)[keyof typeof TOPIC_KIND];

const FIELDS = 8;

export function encodeReceipt(receipt: Receipt): string {
  const { checkPointOffset, popTime, invisibleMs, reviveQueueId, topicKind, brokerName, queueId, queueOffset } = receipt;
  return [checkPointOffset, popTime, invisibleMs, reviveQueueId, topicKind, brokerName, queueId, queueOffset].join(' ');
}

/** @throws InvalidArgumentError for text that is no receipt handle */
export function decodeReceipt(handle: string): Receipt {
  const fields = handle.split(' ');
  const [checkPointOffset, popTime, invisibleMs, reviveQueueId, topicKind, brokerName, queueId, queueOffset] = fields;
  const receipt = {
    checkPointOffset: Number(checkPointOffset),
    popTime: Number(popTime),
    invisibleMs: Number(invisibleMs),
    reviveQueueId: Number(reviveQueueId),
    topicKind: topicKind as TopicKind,
    brokerName: brokerName ?? '',
    queueId: Number(queueId),
    queueOffset: Number(queueOffset),
  };
  const isComplete = fields.length >= FIELDS && receipt.brokerName !== '' && isTopicKind(topicKind);
  if (!isComplete || Object.values(receipt).some((value) => typeof value === 'number' && !Number.isSafeInteger(value))) {
    throw new InvalidArgumentError(`receipt handle '${handle}': expected 8 fields separated by spaces`);
  }
  return receipt;
}

/** Returns the topic that the delivery came from. */
export function topicOfReceipt({ topicKind }: Receipt, topic: string, group: string): string {
  switch (topicKind) {
    case TOPIC_KIND.NORMAL:
      return topic;
    case TOPIC_KIND.RETRY_V1:
      return `%RETRY%${group}_${topic}`;
    case TOPIC_KIND.RETRY_V2:
      return `%RETRY%${group}+${topic}`;
  }
}

/**
 * Check point offsets by queue of the topic itself, from `startOffsetInfo`: `kind queue offset` separated by `;`.
 * Messages of retry topics carry their handles themselves.
 * @throws MalformedDataError
 */
export function decodeStartOffsets(info: string): ReadonlyMap<number, number> {
  const offsets = new Map<number, number>();
  for (const entry of info === '' ? [] : info.split(';')) {
    const [kind, queueId, offset] = entry.split(' ');
    if (!isTopicKind(kind) || !isInteger(queueId) || !isInteger(offset)) {
      throw new MalformedDataError('reply header', `'startOffsetInfo' has '${entry}'`);
    }
    if (kind === TOPIC_KIND.NORMAL) offsets.set(Number(queueId), Number(offset));
  }
  return offsets;
}

function isTopicKind(text: string | undefined): text is TopicKind {
  return text === TOPIC_KIND.NORMAL || text === TOPIC_KIND.RETRY_V1 || text === TOPIC_KIND.RETRY_V2;
}

function isInteger(text: string | undefined): boolean {
  return text !== undefined && text !== '' && Number.isSafeInteger(Number(text));
}
