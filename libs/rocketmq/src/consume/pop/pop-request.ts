import { MalformedDataError } from '../../errors.js';
import { MESSAGE_PROPERTY } from '../../wire/message-property.js';
import { REQUEST_CODE } from '../../wire/request-code.js';
import type { RemotingCommand, RemotingRequest } from '../../wire/remoting-codec.js';
import { decodeStoredMessages, type StoredMessage } from '../../wire/stored-message.js';
import { readExtInteger } from '../../wire/tolerant-reader.js';
import type { CompiledFilter } from '../message-filter.js';
import { decodeStartOffsets, encodeReceipt, TOPIC_KIND } from './receipt-handle.js';

const ANY_QUEUE = '-1';
/** Where a group begins that was never at the topic. */
const INIT_MODE = { oldest: '0', newest: '1' } as const;

export type PopStart = keyof typeof INIT_MODE;

export interface PopRequestFields {
  readonly topic: string;
  readonly group: string;
  readonly brokerName: string;
  readonly maxMessages: number;
  readonly invisibleMs: number;
  readonly waitMs: number;
  readonly start: PopStart;
  readonly filter: CompiledFilter;
}

export function popRequest(fields: PopRequestFields): RemotingRequest {
  return {
    code: REQUEST_CODE.POP_MESSAGE,
    ext: {
      consumerGroup: fields.group,
      topic: fields.topic,
      queueId: ANY_QUEUE,
      maxMsgNums: String(fields.maxMessages),
      invisibleTime: String(fields.invisibleMs),
      pollTime: String(fields.waitMs),
      bornTime: String(Date.now()),
      initMode: INIT_MODE[fields.start],
      expType: fields.filter.expressionType,
      exp: fields.filter.expression,
      order: 'false',
      bname: fields.brokerName,
    },
  };
}

/** One delivery of a stored message. */
export interface Delivery {
  readonly stored: StoredMessage;
  readonly handle: string;
}

/** @throws MalformedDataError */
export function decodePopReply(reply: RemotingCommand, brokerName: string): Delivery[] {
  const popTime = readExtInteger(reply.ext, 'popTime');
  const invisibleMs = readExtInteger(reply.ext, 'invisibleTime');
  const reviveQueueId = readExtInteger(reply.ext, 'reviveQid');
  const starts = decodeStartOffsets(reply.ext['startOffsetInfo'] ?? '');
  return decodeStoredMessages(reply.body).map((stored) => {
    // The broker writes the handle into messages of the retry topic, for they take the name of the topic itself.
    const own = stored.property(MESSAGE_PROPERTY.receipt);
    if (own !== undefined) return { stored, handle: own };
    const { queueId, queueOffset } = stored;
    const checkPointOffset = starts.get(queueId);
    if (checkPointOffset === undefined) {
      throw new MalformedDataError('reply header', `'startOffsetInfo' has no queue ${queueId}, the messages have`);
    }
    const topicKind = TOPIC_KIND.NORMAL;
    const position = { checkPointOffset, popTime, invisibleMs, reviveQueueId, topicKind, brokerName };
    return { stored, handle: encodeReceipt({ ...position, queueId, queueOffset }) };
  });
}
