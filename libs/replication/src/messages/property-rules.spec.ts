import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { isReservedProperty } from '@sluice/protocol';
import { PROPERTY_RULES } from './property-rules.js';

const PAGE = new URL('../../../../docs/operations/replication-properties.md', import.meta.url);

/** `MessageConst` of RocketMQ 5.5.0, without the prefix of transient properties. */
const MESSAGE_CONST =
  'KEYS TAGS WAIT DELAY RETRY_TOPIC REAL_TOPIC REAL_QID TRAN_MSG PGROUP MIN_OFFSET MAX_OFFSET BUYER_ID ORIGIN_GROUP ' +
  'ORIGIN_MESSAGE_ID TRANSFER_FLAG CORRECTION_FLAG MQ2_FLAG RECONSUME_TIME MSG_REGION TRACE_ON UNIQ_KEY TRANS_OFFSET ' +
  'EXTEND_UNIQ_INFO MAX_RECONSUME_TIMES CONSUME_START_TIME _SYS_MSG_PRIORITY_ INNER_NUM INNER_BASE DUP_INFO ' +
  'CHECK_IMMUNITY_TIME_IN_SECONDS TRAN_PREPARED_QUEUE_OFFSET __transactionId__ TRANSACTION_CHECK_TIMES INSTANCE_ID ' +
  'CORRELATION_ID REPLY_TO_CLIENT TTL ARRIVE_TIME PUSH_REPLY_TIME CLUSTER MSG_TYPE POP_CK POP_CK_OFFSET 1ST_POP_TIME ' +
  '__SHARDINGKEY __LITE_TOPIC PROPERTY_FORWARD_QUEUE_ID REDIRECT INNER_MULTI_DISPATCH INNER_MULTI_QUEUE_OFFSET ' +
  'TRACE_CONTEXT TIMER_DELAY_SEC TIMER_DELIVER_MS __BORNHOST BORN_TIMESTAMP E_T TIMER_ENQUEUE_MS TIMER_DEQUEUE_MS ' +
  'TIMER_ROLL_TIMES TIMER_ROLL_LABEL TIMER_OUT_MS TIMER_DEL_UNIQKEY TIMER_DELAY_LEVEL TIMER_DELAY_MS __CRC32# DLQ_ORIGIN_TOPIC ' +
  'DLQ_ORIGIN_MESSAGE_ID';

describe('PROPERTY_RULES', () => {
  it("has one rule for each of RocketMQ's properties", () => {
    const names = PROPERTY_RULES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(MESSAGE_CONST.split(' ').filter((name) => !names.includes(name))).toEqual([]);
  });

  it('has rules for no other names, but for Sluice and for what only some brokers know', () => {
    const others = PROPERTY_RULES.map(({ name }) => name).filter((name) => !isReservedProperty(name) && !name.startsWith('sluice-'));
    expect(others).toEqual(['__STARTDELIVERTIME', 'TIMER_ROLL_LABEL']);
  });

  it('is the table of the page for operators', () => {
    const rows = readFileSync(PAGE, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .map(([, name, treatment, reason]) => ({ name: name?.replaceAll('`', ''), treatment, reason }));
    expect(rows).toEqual(PROPERTY_RULES);
  });
});
