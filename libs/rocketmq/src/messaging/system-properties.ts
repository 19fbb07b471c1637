/**
 * The names that RocketMQ uses for itself (`MessageConst` of 5.5.0). The Proxy refuses most of them in user properties.
 * It hands out the others among these, where they would change a message that is sent again: `__SHARDINGKEY` makes it FIFO.
 */
const SYSTEM_PROPERTIES: ReadonlySet<string> = new Set([
  '1ST_POP_TIME',
  'ARRIVE_TIME',
  'BORN_TIMESTAMP',
  'BUYER_ID',
  'CHECK_IMMUNITY_TIME_IN_SECONDS',
  'CLUSTER',
  'CONSUME_START_TIME',
  'CORRECTION_FLAG',
  'CORRELATION_ID',
  'DELAY',
  'DLQ_ORIGIN_MESSAGE_ID',
  'DLQ_ORIGIN_TOPIC',
  'DUP_INFO',
  'EXTEND_UNIQ_INFO',
  'INNER_BASE',
  'INNER_MULTI_DISPATCH',
  'INNER_MULTI_QUEUE_OFFSET',
  'INNER_NUM',
  'INSTANCE_ID',
  'KEYS',
  'MAX_OFFSET',
  'MAX_RECONSUME_TIMES',
  'MIN_OFFSET',
  'MQ2_FLAG',
  'MSG_REGION',
  'MSG_TYPE',
  'ORIGIN_GROUP',
  'ORIGIN_MESSAGE_ID',
  'PGROUP',
  'POP_CK',
  'POP_CK_OFFSET',
  'PROPERTY_FORWARD_QUEUE_ID',
  'PUSH_REPLY_TIME',
  'REAL_QID',
  'REAL_TOPIC',
  'RECONSUME_TIME',
  'REDIRECT',
  'REPLY_TO_CLIENT',
  'RETRY_TOPIC',
  'TAGS',
  'TIMER_DELAY_LEVEL',
  'TIMER_DELAY_MS',
  'TIMER_DELAY_SEC',
  'TIMER_DELIVER_MS',
  'TIMER_DEL_UNIQKEY',
  'TIMER_DEQUEUE_MS',
  'TIMER_ENQUEUE_MS',
  'TIMER_OUT_MS',
  'TIMER_ROLL_LABEL',
  'TIMER_ROLL_TIMES',
  'TRACE_CONTEXT',
  'TRACE_ON',
  'TRANSACTION_CHECK_TIMES',
  'TRANSFER_FLAG',
  'TRANS_OFFSET',
  'TRAN_MSG',
  'TRAN_PREPARED_QUEUE_OFFSET',
  'TTL',
  'UNIQ_KEY',
  'WAIT',
  '_SYS_MSG_PRIORITY_',
  '__BORNHOST',
  '__CRC32#',
  '__LITE_TOPIC',
  '__SHARDINGKEY',
  '__transactionId__',
]);
const TRANSIENT_PREFIX = '__RMQ.TRANSIENT.';

export function isSystemProperty(name: string): boolean {
  return SYSTEM_PROPERTIES.has(name) || name.startsWith(TRANSIENT_PREFIX);
}

/** Returns those that the producer set, in their order. */
export function userProperties(properties: Iterable<readonly [string, string]>): ReadonlyMap<string, string> {
  const user = new Map<string, string>();
  for (const [name, value] of properties) if (!isSystemProperty(name)) user.set(name, value);
  return user;
}
