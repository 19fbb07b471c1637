/** Names of the properties that Sluice itself puts on messages. */
export const SluiceProperty = {
  key: 'sluice-key',
  null: 'sluice-null',
  empty: 'sluice-empty',
  timestamp: 'sluice-ts',
  headerOrder: 'sluice-headers',
  stamp: 'sluice-p',
  barrier: 'sluice-b',
  /** How far a replicating sink has come, in a barrier of it where no copy says so. */
  progress: 'sluice-at',
  /** How often the record was put back from a dead letter topic. */
  redriven: 'sluice-redriven',
  /** Identities of the clusters that a replicated message came through, in their order, with commas between them. */
  hops: 'sluice-hops',
  /** When the producer made a replicated message, where the message itself has the time of its last send; base 36. */
  born: 'sluice-born',
} as const;

/** Begins the name under which a replicated message keeps a property that would act a second time where it was copied to. */
export const WAS_PREFIX = 'sluice-was-';

/** Every name that begins so belongs to Sluice. */
export const SLUICE_PREFIX = 'sluice-';

/** What Apache RocketMQ Connect puts before the name of a header. */
export const ROCKETMQ_CONNECT_HEADER_PREFIX = 'connect-ext-';

/** Where Apache RocketMQ Connect keeps a record's timestamp. */
export const ROCKETMQ_CONNECT_TIMESTAMP = 'connect.timestamp';

const TRANSIENT_PREFIX = '__RMQ.TRANSIENT.';

/** RocketMQ's own properties (`MessageConst` of 5.5.0): brokers and clients act on them, so a header must never have such a name. */
const SYSTEM_PROPERTIES: ReadonlySet<string> = new Set(
  (
    'KEYS TAGS WAIT DELAY RETRY_TOPIC REAL_TOPIC REAL_QID TRAN_MSG PGROUP MIN_OFFSET MAX_OFFSET BUYER_ID ORIGIN_GROUP ' +
    'ORIGIN_MESSAGE_ID TRANSFER_FLAG CORRECTION_FLAG MQ2_FLAG RECONSUME_TIME MSG_REGION TRACE_ON UNIQ_KEY TRANS_OFFSET ' +
    'EXTEND_UNIQ_INFO MAX_RECONSUME_TIMES CONSUME_START_TIME _SYS_MSG_PRIORITY_ INNER_NUM INNER_BASE DUP_INFO ' +
    'CHECK_IMMUNITY_TIME_IN_SECONDS TRAN_PREPARED_QUEUE_OFFSET __transactionId__ TRANSACTION_CHECK_TIMES INSTANCE_ID ' +
    'CORRELATION_ID REPLY_TO_CLIENT TTL ARRIVE_TIME PUSH_REPLY_TIME CLUSTER MSG_TYPE POP_CK POP_CK_OFFSET 1ST_POP_TIME ' +
    '__SHARDINGKEY __LITE_TOPIC PROPERTY_FORWARD_QUEUE_ID REDIRECT INNER_MULTI_DISPATCH INNER_MULTI_QUEUE_OFFSET ' +
    'TRACE_CONTEXT TIMER_DELAY_SEC TIMER_DELIVER_MS __BORNHOST BORN_TIMESTAMP E_T TIMER_ENQUEUE_MS TIMER_DEQUEUE_MS ' +
    'TIMER_ROLL_TIMES TIMER_OUT_MS TIMER_DEL_UNIQKEY TIMER_DELAY_LEVEL TIMER_DELAY_MS __CRC32# DLQ_ORIGIN_TOPIC ' +
    'DLQ_ORIGIN_MESSAGE_ID'
  ).split(' '),
);

/** Returns whether a name is one of RocketMQ's own properties. */
export function isReservedProperty(name: string): boolean {
  return SYSTEM_PROPERTIES.has(name) || name.startsWith(TRANSIENT_PREFIX);
}
