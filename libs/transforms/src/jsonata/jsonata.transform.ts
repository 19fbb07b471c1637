import { setImmediate } from 'node:timers/promises';
import { type ConnectRecord, RetriableError, type Transform } from '@sluice/sdk';
import { KEY, type RecordPart, VALUE } from '../fields/record-part.js';
import { unfit } from '../fields/transform-error.js';
import { transformPlugin } from '../plugin/part-plugins.js';
import { JsonataExpression } from './jsonata-expression.js';
import { fromPlain, toPlain } from './plain-values.js';
import { changedRecord, viewOf } from './record-view.js';

/** How long evaluations run before others get their turn: heartbeats, and what aborts the preparation. */
const TURN_MS = 10;
const RECORD_VARIABLE = /\$record\b/;

export const jsonataTransform = transformPlugin({
  name: 'JsonataTransform',
  packages: [],
  doc: 'Makes the value, the key or the whole record by an expression of JSONata 2. What it makes has no schema.',
  spec: {
    expression: {
      type: 'string',
      importance: 'high',
      nonEmpty: true,
      doc: 'The expression. Its input is what `target` names; `$record` has topic, key, value, headers, timestamp and tag, of a sink also queue and offset.',
      example: '{ "id": id, "total": $sum(items.(price * quantity)) }',
    },
    target: {
      type: 'string',
      importance: 'medium',
      default: 'value',
      oneOf: ['value', 'key', 'record'],
      doc: 'What the expression gets and makes. A `record` keeps the parts that the result leaves out; a result of nothing or null drops it.',
      example: 'record',
    },
    'timeout.ms': {
      type: 'int',
      importance: 'low',
      default: 1000,
      min: 1,
      max: 60_000,
      doc: 'The most time for one record, in milliseconds. A record that takes longer fails.',
      example: '200',
    },
    'batch.timeout.ms': {
      type: 'int',
      importance: 'low',
      default: 30_000,
      min: 1,
      max: 600_000,
      doc: 'The most time for the records of one batch, in milliseconds. Then the task shows that it waits, and continues with the others.',
      example: '10000',
    },
  },
  problems: ({ expression, 'timeout.ms': timeoutMs }) => {
    try {
      new JsonataExpression(expression, timeoutMs);
      return [];
    } catch (error) {
      return [{ field: 'expression', message: `Invalid value for configuration expression: ${(error as Error).message}` }];
    }
  },
  create: ({ expression, target, 'timeout.ms': timeoutMs, 'batch.timeout.ms': batchTimeoutMs }) => {
    const needsRecord = target === 'record' || RECORD_VARIABLE.test(expression);
    return new Evaluation(new JsonataExpression(expression, timeoutMs), target, needsRecord, batchTimeoutMs);
  },
});

/** What an expression gave for a record, or why it gave nothing. */
type Outcome = { readonly result: unknown } | { readonly error: unknown };

class Evaluation implements Transform {
  /** Of records that were prepared and not yet applied; one that never is goes with its record. */
  readonly #outcomes = new WeakMap<ConnectRecord, Outcome>();
  readonly #part: RecordPart | undefined;

  constructor(
    private readonly expression: JsonataExpression,
    target: 'value' | 'key' | 'record',
    private readonly needsRecord: boolean,
    private readonly batchTimeoutMs: number,
  ) {
    this.#part = target === 'record' ? undefined : target === 'key' ? KEY : VALUE;
  }

  /** A call that is made again continues behind the records that it has done. */
  async prepare(records: readonly ConnectRecord[], signal: AbortSignal): Promise<void> {
    const startedAt = performance.now();
    let turnAt = startedAt;
    let done = 0;
    for (const record of records) {
      if (this.#outcomes.has(record)) continue;
      const now = performance.now();
      if (done > 0 && now - startedAt > this.batchTimeoutMs) {
        throw new RetriableError(`the expression took longer than the ${this.batchTimeoutMs} ms of batch.timeout.ms for ${done} records`);
      }
      if (now - turnAt > TURN_MS) {
        await setImmediate();
        turnAt = performance.now();
      }
      signal.throwIfAborted();
      this.#outcomes.set(record, await this.#outcomeOf(record));
      done += 1;
    }
  }

  apply(record: ConnectRecord): ConnectRecord | undefined {
    const outcome = this.#outcomes.get(record);
    if (outcome === undefined) throw unfit('the record was not prepared');
    this.#outcomes.delete(record);
    if ('error' in outcome) throw outcome.error;
    if (this.#part === undefined) return changedRecord(record, outcome.result);
    return this.#part.replaced(record, fromPlain(outcome.result), undefined);
  }

  async #outcomeOf(record: ConnectRecord): Promise<Outcome> {
    try {
      const view = this.needsRecord ? viewOf(record) : undefined;
      const input = this.#part === undefined ? view : toPlain(this.#part.valueOf(record));
      return { result: await this.expression.evaluate(input, view === undefined ? {} : { record: view }) };
    } catch (error) {
      return { error };
    }
  }
}
