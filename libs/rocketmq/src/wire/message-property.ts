/** Names of the properties in which RocketMQ keeps what it knows of a message (`MessageConst`). */
export const MESSAGE_PROPERTY = {
  /** The id that the producer gave the message. */
  messageId: 'UNIQ_KEY',
  /** Keys of the broker's index, separated by spaces. */
  keys: 'KEYS',
  /** The message's tag; there is one only. */
  tag: 'TAGS',
  /** Messages of one key share a queue; the Proxy calls it the message group and hands them out in order. */
  shardingKey: '__SHARDINGKEY',
  /** Step of the brokers' `messageDelayLevel` after which consumers see the message. */
  delayLevel: 'DELAY',
  /** When consumers see the message, ms since the epoch. */
  deliverAt: 'TIMER_DELIVER_MS',
  /** The same, in ms from the send on. */
  deliverAfterMs: 'TIMER_DELAY_MS',
  /** The same, in s from the send on. */
  deliverAfterSeconds: 'TIMER_DELAY_SEC',
  /** Whether the message is the first half of a transaction. */
  isTransactional: 'TRAN_MSG',
  /** The receipt handle that a broker wrote into a message which it hands out again. */
  receipt: 'POP_CK',
  /** How many messages an inner batch has. */
  innerCount: 'INNER_NUM',
} as const;
