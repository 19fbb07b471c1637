import { scanTraceContext, type TraceContext } from '@sluice/protocol';
import { queueKey, type QueueRef, type SinkPosition, type SinkRecord } from '@sluice/sdk';
import { RecordFailure } from '../dead-letters/record-failure.js';
import type { RawMessage } from '../ports/queue-messages.port.js';
import { endLeftOut, MESSAGING, RecordTrace, sluiceAttributes, type Step } from './record-trace.js';
import { ShownErrors } from './shown-error.js';
import type { Tracer } from './tracer.js';

/** Records of a task that are put and traced until their offset is committed. A sink may hold records back for long. */
const MAX_OPEN = 1000;

export interface SinkTracesOptions {
  readonly tracer: Tracer;
  readonly connector: string;
  readonly index: number;
  readonly group: string;
  readonly deadLetterTopic: string | undefined;
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string;
}

/** A try to put records, some of which are traced. */
export interface TracedPut {
  readonly succeeded: () => void;
  /** The first `written` ones were written. */
  readonly failed: (error: unknown, written: number) => void;
}

/** Traces records of a sink task from the reading of their messages until their offset is committed, or they are left out. */
export class SinkTraces {
  /** Taken and not put. */
  readonly #taken = new Set<SinkTrace>();
  /** By queue: put, and not reported as durable. */
  readonly #unsafe = new Map<string, SinkTrace[]>();
  /** By queue: durable, and not committed. */
  readonly #safe = new Map<string, SinkTrace[]>();
  /** Refused by the task: what becomes of others, with them in a put, is not theirs. */
  readonly #refused = new Set<SinkTrace>();
  readonly #errors: ShownErrors;
  #open = 0;
  #lastFlush: { readonly fromMs: number; readonly toMs: number } | undefined;

  constructor(private readonly options: SinkTracesOptions) {
    this.#errors = new ShownErrors(options.hide);
  }

  /** Begins the traces of those messages of a queue that are chosen; `undefined` where none is. */
  begin(queue: QueueRef, messages: readonly RawMessage[]): readonly SinkTrace[] | undefined {
    const { tracer } = this.options;
    let traces: SinkTrace[] | undefined;
    for (const message of messages) {
      const carried = scanTraceContext(message.rawProperties);
      if (tracer.chooses(carried)) (traces ??= []).push(this.#traceOf(queue, message, typeof carried === 'object' ? carried : undefined));
    }
    return traces;
  }

  /** Notes a try to put records; returns `undefined` where none of them is traced. */
  puts(records: readonly SinkRecord[]): TracedPut | undefined {
    if (this.#taken.size === 0) return undefined;
    const puts: { readonly trace: SinkTrace; readonly place: number; readonly step: Step }[] = [];
    for (const trace of this.#taken) {
      const place = trace.record === undefined ? -1 : records.indexOf(trace.record);
      if (place >= 0) puts.push({ trace, place, step: trace.trace.step('put', 'internal', { 'sluice.batch.records': records.length }) });
    }
    if (puts.length === 0) return undefined;
    return {
      succeeded: () => {
        for (const { trace, step } of puts) this.#notePut(trace, step);
      },
      failed: (error, written) => {
        for (const { trace, place, step } of puts) {
          if (place < written) {
            this.#notePut(trace, step);
          } else {
            step.fail(error);
            if (!this.#refused.has(trace)) trace.trace.noteError('TASK_PUT', error);
          }
        }
      },
    };
  }

  /** Notes that the task has refused a record, or its put did; `written` resolves when its dead letter is written. */
  refused(record: SinkRecord, cause: unknown, written: Promise<void>): void {
    const key = queueKey(record.queue);
    const isOfRecord = (trace: SinkTrace): boolean => trace.key === key && trace.offset === record.offset;
    const trace = [...this.#taken].find(isOfRecord) ?? this.#unsafe.get(key)?.find(isOfRecord);
    if (trace === undefined) return;
    this.#taken.delete(trace);
    removeFrom(this.#unsafe, trace);
    trace.forgetRecord();
    this.#refused.add(trace);
    trace.failed(new RecordFailure('TASK_PUT', '', cause));
    trace.leftOut(written);
  }

  /** Notes a flush that succeeded, with its times in milliseconds of the clock. What it made durable follows. */
  flushed(fromMs: number): void {
    this.#lastFlush = { fromMs, toMs: this.options.tracer.clock.nowMs() };
  }

  /** Notes a flush that failed for good. */
  flushFailed(error: unknown): void {
    for (const traces of this.#unsafe.values()) for (const { trace } of traces) trace.noteError('TASK_FLUSH', error);
  }

  /** Notes up to where the records of queues are durable: their offsets are being committed. */
  durable(positions: readonly SinkPosition[]): void {
    if (this.#unsafe.size === 0) return;
    for (const { key, traces } of takenUpTo(this.#unsafe, positions)) {
      for (const each of traces) each.durable(this.#lastFlush);
      this.#safe.set(key, [...(this.#safe.get(key) ?? []), ...traces]);
    }
  }

  /** Notes that the broker has the offsets of queues. */
  committed(positions: readonly SinkPosition[]): void {
    if (this.#safe.size === 0) return;
    for (const { traces } of takenUpTo(this.#safe, positions)) for (const each of traces) each.committed();
  }

  /** Milliseconds of the clock. */
  nowMs(): number {
    return this.options.tracer.clock.nowMs();
  }

  /** Ends what is not done when its task ends. */
  end(): void {
    for (const trace of [...this.#taken, ...this.#refused, ...[...this.#unsafe.values(), ...this.#safe.values()].flat()])
      trace.end('interrupted');
    this.#unsafe.clear();
    this.#safe.clear();
  }

  #traceOf(queue: QueueRef, message: RawMessage, parent: TraceContext | undefined): SinkTrace {
    const { tracer, connector, index, group, deadLetterTopic } = this.options;
    const { topic, brokerName, queueId } = queue;
    const attributes = {
      ...sluiceAttributes(connector, index),
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(queueId),
      'messaging.consumer.group.name': group,
      'messaging.message.body.size': message.bodyBytes,
      'sluice.broker': brokerName,
      'sluice.queue': queueId,
      'sluice.offset': message.queueOffset,
    };
    const trace = new RecordTrace({ tracer, parent, name: `process ${topic}`, kind: 'consumer', attributes, errors: this.#errors });
    return new SinkTrace(trace, queueKey(queue), message.queueOffset, {
      nowMs: () => tracer.clock.nowMs(),
      deadLetterTopic,
      taken: (each) => {
        this.#open++;
        this.#taken.add(each);
      },
      ended: (each) => {
        this.#open--;
        this.#taken.delete(each);
        this.#refused.delete(each);
        for (const waiting of [this.#unsafe, this.#safe]) removeFrom(waiting, each);
      },
    });
  }

  #notePut(each: SinkTrace, step: Step): void {
    step.end();
    if (this.#refused.has(each)) return;
    each.trace.clearError();
    this.#taken.delete(each);
    each.forgetRecord();
    if (each.trace.hasEnded) return;
    const { key } = each;
    // Flush and commit of so many are not followed.
    if (this.#open > MAX_OPEN) each.end('put');
    else this.#unsafe.set(key, [...(this.#unsafe.get(key) ?? []), each]);
  }
}

interface SinkTraceOptions {
  readonly nowMs: () => number;
  readonly deadLetterTopic: string | undefined;
  readonly taken: (trace: SinkTrace) => void;
  readonly ended: (trace: SinkTrace) => void;
}

/** The trace of one message of a sink. */
export class SinkTrace {
  #record: SinkRecord | undefined;
  #isTaken = false;
  #markMs: number;
  #committing: Step | undefined;

  constructor(
    readonly trace: RecordTrace,
    /** Of its queue. */
    readonly key: string,
    readonly offset: number,
    private readonly options: SinkTraceOptions,
  ) {
    this.#markMs = options.nowMs();
  }

  /** What the task is given, until that is put: a record may be large, and its offset be committed much later. */
  get record(): SinkRecord | undefined {
    return this.#record;
  }

  forgetRecord(): void {
    this.#record = undefined;
  }

  /** Notes when the next step begins. */
  mark(): void {
    this.#markMs = this.options.nowMs();
  }

  /** Notes a step from the last mark, or step, to now. */
  did(name: string): void {
    const nowMs = this.options.nowMs();
    this.trace.addStep(name, this.#markMs, nowMs);
    this.#markMs = nowMs;
  }

  /** Notes that the task is given a record. */
  taken(record: SinkRecord): void {
    this.#record = record;
    this.#isTaken = true;
    this.options.taken(this);
  }

  /** Notes why it is left out, or its task ends. */
  failed({ stage, cause, className }: RecordFailure): void {
    this.trace.noteError(stage, cause, className);
  }

  /** Notes that it is left out; `written` resolves when its dead letter is written, where it gets one. */
  leftOut(written: Promise<void> | undefined): void {
    endLeftOut(this.trace, written, this.options.deadLetterTopic, (outcome) => {
      this.end(outcome);
    });
  }

  durable(flush: { readonly fromMs: number; readonly toMs: number } | undefined): void {
    if (flush !== undefined) this.trace.addStep('flush', flush.fromMs, flush.toMs);
    const attributes = { ...MESSAGING, 'messaging.operation.name': 'commit', 'messaging.operation.type': 'settle' };
    this.#committing = this.trace.step('commit', 'client', attributes);
  }

  committed(): void {
    this.#committing?.end();
    this.end('committed');
  }

  end(outcome: string): void {
    if (this.trace.hasEnded) return;
    this.trace.end(outcome);
    if (this.#isTaken) this.options.ended(this);
  }
}

/** Takes the traces before the position of each queue out of those that wait. */
function* takenUpTo(
  waiting: Map<string, SinkTrace[]>,
  positions: readonly SinkPosition[],
): Iterable<{ readonly key: string; readonly traces: readonly SinkTrace[] }> {
  for (const { queue, nextOffset } of positions) {
    const key = queueKey(queue);
    const traces = waiting.get(key);
    if (traces === undefined) continue;
    const left = traces.filter(({ offset }) => offset >= nextOffset);
    if (left.length === 0) waiting.delete(key);
    else waiting.set(key, left);
    yield { key, traces: traces.filter(({ offset }) => offset < nextOffset) };
  }
}

function removeFrom(waiting: Map<string, SinkTrace[]>, trace: SinkTrace): void {
  const { key } = trace;
  const left = waiting.get(key)?.filter((each) => each !== trace) ?? [];
  if (left.length === 0) waiting.delete(key);
  else waiting.set(key, left);
}
