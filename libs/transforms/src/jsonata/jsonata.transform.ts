import { type ConnectRecord, RetriableError, type Transform } from '@sluice/sdk';
import { KEY, type RecordPart, VALUE } from '../fields/record-part.js';
import { unfit } from '../fields/transform-error.js';
import { transformPlugin } from '../plugin/part-plugins.js';
import { JsonataExpression } from './jsonata-expression.js';
import { fromPlain, toPlain } from './plain-values.js';
import { changedRecord, viewOf } from './record-view.js';

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
      max: 2000,
      doc: 'The most time for one record, in milliseconds. A record that takes longer fails. Meanwhile the thread does nothing else: more time would cost the lease.',
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

/** What becomes of a record: `undefined` drops it. */
type Outcome = { readonly made: ConnectRecord | undefined } | { readonly error: unknown };

class Evaluation implements Transform {
  /** Of records that were prepared; one goes with its record. The same record may stand in a batch twice. */
  readonly #outcomes = new WeakMap<ConnectRecord, Outcome>();
  /** How many records are done of batches that are not. */
  readonly #done = new WeakMap<readonly ConnectRecord[], number>();
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
    const first = this.#done.get(records) ?? 0;
    for (const [at, record] of records.entries()) {
      if (at < first) continue;
      if (at > first && performance.now() - startedAt > this.batchTimeoutMs) {
        const count = at - first;
        throw new RetriableError(`the expression took longer than the ${this.batchTimeoutMs} ms of batch.timeout.ms for ${count} records`);
      }
      signal.throwIfAborted();
      this.#outcomes.set(record, await this.#outcomeOf(record));
      this.#done.set(records, at + 1);
    }
    this.#done.delete(records);
  }

  apply(record: ConnectRecord): ConnectRecord | undefined {
    const outcome = this.#outcomes.get(record);
    if (outcome === undefined) throw unfit('the record was not prepared');
    if ('error' in outcome) throw outcome.error;
    return outcome.made;
  }

  async #outcomeOf(record: ConnectRecord): Promise<Outcome> {
    const part = this.#part;
    try {
      const view = this.needsRecord ? viewOf(record) : undefined;
      const input = part === undefined ? view : toPlain(part.valueOf(record));
      const made = await this.expression.evaluate(input, view === undefined ? {} : { record: view }, (result, budget) =>
        part === undefined ? changedRecord(record, result, budget) : part.replaced(record, fromPlain(result, budget), undefined),
      );
      return { made };
    } catch (error) {
      return { error };
    }
  }
}
