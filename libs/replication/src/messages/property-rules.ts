/** What a copy has of a property: the same, the same under `sluice-was-<NAME>`, or nothing. */
export type PropertyTreatment = 'kept' | 'renamed' | 'dropped';

export interface PropertyRule {
  readonly name: string;
  readonly treatment: PropertyTreatment;
  readonly reason: string;
}

/** Begins the names of properties that brokers do not store; dropped where one did. */
export const TRANSIENT_PREFIX = '__RMQ.TRANSIENT.';

function rules(treatment: PropertyTreatment, reasons: Readonly<Record<string, string>>): readonly PropertyRule[] {
  return Object.entries(reasons).map(([name, reason]) => ({ name, treatment, reason }));
}

const LEVELS_AND_TIMERS =
  'The source has held the message up. The target would do it a second time, in other queues and behind later messages.';
const TIMER_RECORDS = "The source's timer wrote it about its own work.";
const REQUESTS = 'Consumers answer a request by it.';
const DEAD_LETTER = 'Says which message a dead letter was.';
const COMMERCIAL = 'Brokers and clients of RocketMQ only pass it on.';

/**
 * What a copy has of RocketMQ's own properties: `MessageConst` of 5.5.0, and two more that clients know. Any other property is kept.
 * `docs/operations/replication-properties.md` has the same table.
 */
export const PROPERTY_RULES: readonly PropertyRule[] = [
  ...rules('kept', {
    KEYS: "The target's index finds the message by them.",
    TAGS: 'Consumers of the target filter by it.',
    UNIQ_KEY: 'The id of the message: the same in both clusters, and in the index of both.',
    __SHARDINGKEY: 'Messages of one key stay in order. The queue is chosen by the queue map, not by the key.',
    RETRY_TOPIC:
      'A copied retry message needs it: consumers take from it the topic that the message belongs to. Nothing acts on it elsewhere.',
    PGROUP: 'Names the group of the producer. Brokers ask it about unfinished transactions only, and a copy is never one.',
    __transactionId__: 'Names the transaction for people. Only committed messages are copied.',
    TRANSACTION_CHECK_TIMES: 'Counts what was asked before the commit. Brokers look at it on unfinished transactions only.',
    CHECK_IMMUNITY_TIME_IN_SECONDS: 'Brokers look at it on unfinished transactions only.',
    TRANS_OFFSET: COMMERCIAL,
    TRACE_CONTEXT: 'Joins the spans of producer and consumers in a trace.',
    __BORNHOST: 'Says where the producer ran, which the copy itself no longer does.',
    BORN_TIMESTAMP: 'Says when a producer behind a Proxy made the message.',
    __LITE_TOPIC: 'Names the lite topic. The light queue behind it is not replicated: see INNER_MULTI_DISPATCH.',
    CORRELATION_ID: REQUESTS,
    REPLY_TO_CLIENT: `${REQUESTS} The answer reaches a client of the target only.`,
    TTL: REQUESTS,
    MSG_TYPE: 'Says that a message is an answer. Producers look at it, brokers do not.',
    ARRIVE_TIME: 'Says when an answer reached its broker.',
    PUSH_REPLY_TIME: 'Says when a broker handed an answer on.',
    ORIGIN_GROUP: DEAD_LETTER,
    ORIGIN_MESSAGE_ID: DEAD_LETTER,
    DLQ_ORIGIN_TOPIC: DEAD_LETTER,
    DLQ_ORIGIN_MESSAGE_ID: DEAD_LETTER,
    INSTANCE_ID: 'Names the namespace of the producer.',
    BUYER_ID: COMMERCIAL,
    TRANSFER_FLAG: COMMERCIAL,
    CORRECTION_FLAG: COMMERCIAL,
    MQ2_FLAG: COMMERCIAL,
    EXTEND_UNIQ_INFO: COMMERCIAL,
    E_T: COMMERCIAL,
  }),
  ...rules('renamed', {
    DELAY: LEVELS_AND_TIMERS,
    TIMER_DELIVER_MS: LEVELS_AND_TIMERS,
    TIMER_DELAY_MS: LEVELS_AND_TIMERS,
    TIMER_DELAY_SEC: LEVELS_AND_TIMERS,
    TIMER_DELAY_LEVEL: LEVELS_AND_TIMERS,
    __STARTDELIVERTIME: `${LEVELS_AND_TIMERS} Brokers of Alibaba Cloud act on it.`,
    TIMER_ENQUEUE_MS: TIMER_RECORDS,
    TIMER_DEQUEUE_MS: TIMER_RECORDS,
    TIMER_ROLL_TIMES: TIMER_RECORDS,
    TIMER_ROLL_LABEL: TIMER_RECORDS,
    TIMER_OUT_MS: TIMER_RECORDS,
    TIMER_DEL_UNIQKEY: 'Makes a timer forget a message. The copy would cancel a timer of the target.',
    REAL_TOPIC: 'Names where a broker puts a held message. The queue map says that of a copy.',
    REAL_QID: 'Names where a broker puts a held message. The queue map says that of a copy.',
    TRAN_MSG: 'Makes a sent message the first half of a transaction. Nobody would ever commit it at the target.',
    TRAN_PREPARED_QUEUE_OFFSET: "An offset in the source's queue of unfinished transactions.",
    RECONSUME_TIME: 'Counts deliveries at the source. A client that sends the copy to a retry topic would continue to count.',
    MAX_RECONSUME_TIMES: 'Limits deliveries at the source. A client that sends the copy to a retry topic would apply it.',
    CONSUME_START_TIME: "Old consumers send a message back that has been held since then for too long: a copy's is over already.",
    POP_CK: 'A receipt of the source. A consumer of the target would acknowledge with it, in the wrong place.',
    POP_CK_OFFSET: 'Belongs to POP_CK.',
    '1ST_POP_TIME': 'Times of delivery at the source; brokers reckon the next one from it.',
    MIN_OFFSET: "The bounds of the source's queue at a pull.",
    MAX_OFFSET: "The bounds of the source's queue at a pull.",
    _SYS_MSG_PRIORITY_:
      'Brokers of 5.4 and later put a message that is sent alone into the queue of that number, whatever queue was asked for.',
    INNER_NUM: 'Makes a body a batch of messages. A copy is one message.',
    INNER_BASE: 'The first offset of a batch in the queue of the source.',
    INNER_MULTI_DISPATCH:
      'Puts a message into light queues too. Brokers do so for messages that are sent alone only, so copies are in no light queue.',
    INNER_MULTI_QUEUE_OFFSET: "Offsets in the source's light queues. The target would write its own light queues at these places.",
    DUP_INFO: "Describes the source's commit log; a broker that recovers would read it.",
    PROPERTY_FORWARD_QUEUE_ID: 'Names a queue of the source.',
    REDIRECT: 'Names a place of the source.',
  }),
  ...rules('dropped', {
    CLUSTER: "Each broker writes its own cluster's name when a message arrives. `sluice-hops` says where the copy comes from.",
    MSG_REGION: 'Each broker writes its own region when a message arrives.',
    TRACE_ON: 'Each broker writes whether it traces when a message arrives.',
    WAIT: 'Asks a broker to answer a send before the message is safe. It is about that send; copies are always waited for.',
    '__CRC32#': "Covers the bytes of the source's commit log.",
    'sluice-p': 'Replaced by the stamp of the flow.',
    'sluice-b': 'Belongs to a barrier, which is not copied.',
    'sluice-hops': 'Written again, with the source added.',
    'sluice-born': 'Written again with the same time, unless the send carries it (`born.time=native`).',
    [`${TRANSIENT_PREFIX}*`]: 'Brokers and clients make these for one delivery.',
  }),
];
