import type { ExtFields } from './remoting-codec.js';

/** What a send says of its message, or of the batch of them. */
export interface SendHeaderFields {
  readonly producerGroup: string;
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: string;
  /** Bits of `SYS_FLAG`. */
  readonly sysFlag: string;
  /** Ms since the epoch. */
  readonly bornTimestamp: string;
  /** `Message.flag`. */
  readonly flag: string;
  /** As `encodeProperties` makes them; empty for a batch, whose messages have their own. */
  readonly properties: string;
  readonly isBatch: string;
}

/** A broker that does not know the topic copies the settings of this one; none of this name exists, so it creates no topic. */
const DEFAULT_TOPIC = 'NO_AUTO_CREATE';
/** Used where a topic is created. */
const DEFAULT_TOPIC_QUEUES = '1';
/** Above 0 only where a consumer sends a message back to be read again. */
const RECONSUME_TIMES = '0';
const IS_UNIT_MODE = 'false';

/** Makes the fields of SEND_MESSAGE_V2 and SEND_BATCH_MESSAGE, whose names on the wire are letters (`SendMessageRequestHeaderV2`); `l` is left out. */
export function sendHeader(fields: SendHeaderFields): ExtFields {
  const { producerGroup, topic, queueId, sysFlag, bornTimestamp, flag, properties, isBatch, brokerName } = fields;
  return {
    a: producerGroup,
    b: topic,
    c: DEFAULT_TOPIC,
    d: DEFAULT_TOPIC_QUEUES,
    e: queueId,
    f: sysFlag,
    g: bornTimestamp,
    h: flag,
    i: properties,
    j: RECONSUME_TIMES,
    k: IS_UNIT_MODE,
    // l: the most that a message is read again, which consumers set.
    m: isBatch,
    n: brokerName,
  };
}
