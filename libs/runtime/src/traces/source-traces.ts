import { isTraceHeader, MAX_PROPERTIES_BYTES, maxBodyBytes, traceContextOf, traceHeaders, traceProperties } from '@sluice/protocol';
import type { ConnectRecord, QueueRef, RecordHeader, SourceRecord } from '@sluice/sdk';
import type { RecordFailure } from '../dead-letters/record-failure.js';
import type { EncodedParts } from '../ports/record-producer.port.js';
import { endLeftOut, MESSAGING, RecordTrace, sluiceAttributes, type Step } from './record-trace.js';
import { ShownErrors } from './shown-error.js';
import type { Tracer } from './tracer.js';

/** Records of a task that are traced at a time. One that waits for a broker may wait long. */
const MAX_OPEN = 1000;

/** A body that leaves a message less room than any properties take: the context could make it too large. */
const MAX_BODY_BYTES = maxBodyBytes - MAX_PROPERTIES_BYTES;

export interface SourceTracesOptions {
  readonly tracer: Tracer;
  readonly connector: string;
  readonly index: number;
  /** Something is done with polled records before they are encoded. */
  readonly hasStage: boolean;
  readonly deadLetterTopic: string | undefined;
  /** Takes secrets out of a text. */
  readonly hide: (text: string) => string;
}

/** What makes a message of a record. */
interface Encoder {
  encode(record: ConnectRecord, stamp: string): EncodedParts;
}

/** Traces records of a source task from the end of their poll until a broker has them, or they are left out. */
export class SourceTraces {
  readonly #open = new Set<SourceTrace>();
  readonly #errors: ShownErrors;

  constructor(private readonly options: SourceTracesOptions) {
    this.#errors = new ShownErrors(options.hide);
  }

  /** Begins the traces of those of a poll's records that are chosen; `undefined` where none is. */
  begin(records: readonly SourceRecord[]): TracedPoll | undefined {
    const { tracer, hasStage } = this.options;
    let traces: Map<number, SourceTrace> | undefined;
    for (let at = 0; at < records.length; at++) {
      const headers = records[at]?.headers;
      const carried = headers === undefined ? undefined : contextOrNone(headers);
      if (!tracer.chooses(carried)) continue;
      if (this.#open.size >= MAX_OPEN) tracer.port.counts.limitedRecords++;
      else (traces ??= new Map()).set(at, this.#traceOf(records[at], carried));
    }
    return traces === undefined ? undefined : new TracedPoll(traces, records.length, hasStage ? tracer.clock.nowMs() : undefined, tracer);
  }

  /** Ends what is not done when its task ends. */
  end(): void {
    for (const trace of this.#open) trace.end('interrupted');
  }

  #traceOf(record: SourceRecord | undefined, carried: ReturnType<typeof traceContextOf>): SourceTrace {
    const { tracer, connector, index } = this.options;
    const attributes = { ...sluiceAttributes(connector, index), 'messaging.destination.name': record?.topic ?? '' };
    const parent = typeof carried === 'object' ? carried : undefined;
    const name = `source ${connector}`;
    const trace: SourceTrace = new SourceTrace(
      new RecordTrace({ tracer, parent, name, kind: 'internal', attributes, errors: this.#errors }),
      {
        deadLetterTopic: this.options.deadLetterTopic,
        ended: () => this.#open.delete(trace),
      },
    );
    this.#open.add(trace);
    return trace;
  }
}

/** The traced records of one poll. */
export class TracedPoll {
  constructor(
    private readonly traces: ReadonlyMap<number, SourceTrace>,
    private readonly count: number,
    /** `undefined` where nothing is done with the records before they are encoded. */
    private readonly stagedFromMs: number | undefined,
    private readonly tracer: Tracer,
  ) {}

  /** Returns the trace of the record at a place among those that were polled. */
  at(place: number): SourceTrace | undefined {
    return this.traces.get(place);
  }

  /** Notes that the transforms, and what prepares the conversion, are done with the records. */
  staged(): void {
    if (this.stagedFromMs === undefined) return;
    const nowMs = this.tracer.clock.nowMs();
    for (const trace of this.traces.values()) trace.staged(this.stagedFromMs, nowMs, this.count);
  }
}

interface SourceTraceOptions {
  readonly deadLetterTopic: string | undefined;
  readonly ended: () => void;
}

/** The trace of one record of a source. */
export class SourceTrace {
  #sending: Step | undefined;

  constructor(
    private readonly trace: RecordTrace,
    private readonly options: SourceTraceOptions,
  ) {}

  /** Notes what was done with all records of the poll together; times are milliseconds of the clock. */
  staged(fromMs: number, toMs: number, records: number): void {
    this.trace.addStep('transform', fromMs, toMs, { 'sluice.batch.records': records });
  }

  /** Returns what encodes the record as a message that carries the context of its sending, where that has room for it. */
  encoding(encoder: Encoder): Encoder {
    return { encode: (record, stamp) => this.#encode(encoder, record, stamp) };
  }

  /** Returns the record with the context among its headers, where those are a list: its dead letter carries it. */
  withContext(record: ConnectRecord): ConnectRecord {
    const others = otherHeaders(record.headers ?? []);
    return isList(others) ? { ...record, headers: [...others, ...traceHeaders(this.trace.context)] } : record;
  }

  /** Notes a try to send it whose outcome was not good; it is made again. */
  sendFailed(error: unknown): void {
    this.trace.noteError('ROCKETMQ_PRODUCE', error);
  }

  /** Notes that a queue has it; `offset` is `undefined` where the broker did not say it. */
  stored({ brokerName, queueId }: QueueRef, offset: number | undefined): void {
    const place = { 'sluice.broker': brokerName, 'sluice.queue': queueId, ...(offset === undefined ? {} : { 'sluice.offset': offset }) };
    this.#sending?.end({ 'messaging.destination.partition.id': String(queueId), ...place });
    this.trace.clearError();
    this.trace.describe({ 'messaging.destination.partition.id': String(queueId), ...place });
    this.end('acknowledged');
  }

  /** Notes why it is left out, or its task ends. */
  failed({ stage, cause, className }: RecordFailure): void {
    this.#sending?.fail(cause);
    this.trace.noteError(stage, cause, className);
  }

  /** Notes that it is left out; `written` resolves when its dead letter is written, where it gets one. */
  leftOut(written: Promise<void> | undefined): void {
    endLeftOut(this.trace, written, this.options.deadLetterTopic, (outcome) => {
      this.end(outcome);
    });
  }

  /** Ends it. */
  end(outcome: string): void {
    this.options.ended();
    this.trace.end(outcome);
  }

  #encode(encoder: Encoder, record: ConnectRecord, stamp: string): EncodedParts {
    const { headers, topic } = record;
    const own = headers === undefined ? undefined : otherHeaders(headers);
    const converting = this.trace.step('convert');
    let parts: EncodedParts;
    try {
      parts = encoder.encode(own === undefined ? record : { ...record, headers: own }, stamp);
    } catch (error) {
      converting.fail(error);
      throw error;
    }
    converting.end();
    this.trace.describe({ 'messaging.destination.name': topic, 'messaging.message.body.size': parts.body.length });
    const attributes = { ...MESSAGING, 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' };
    this.#sending = this.trace.step(`send ${topic}`, 'producer', { ...attributes, 'messaging.destination.name': topic });
    // A raw record passes as it is.
    if (typeof parts.properties !== 'string') {
      this.trace.describe({ 'sluice.context.carried': false });
      return parts;
    }
    const properties = parts.properties + traceProperties(this.#sending.context);
    const hasRoom = parts.body.length <= MAX_BODY_BYTES && Buffer.byteLength(properties) <= MAX_PROPERTIES_BYTES;
    if (hasRoom) return { ...parts, properties };
    this.trace.describe({ 'sluice.context.carried': false });
    return encoder.encode(record, stamp);
  }
}

/** Returns what encodes a record, where it is traced with the context of that. */
export function tracedEncoder(encoder: Encoder, trace: SourceTrace | undefined): Encoder {
  return trace?.encoding(encoder) ?? encoder;
}

/** Returns headers without the context of a trace. A plugin may return anything: what is no list stays as it is. */
function otherHeaders(headers: NonNullable<ConnectRecord['headers']>): NonNullable<ConnectRecord['headers']> {
  if (!isList(headers)) return headers;
  return headers.filter((header: RecordHeader | null | undefined) => header == null || !isTraceHeader(header.key));
}

function isList(headers: readonly RecordHeader[]): boolean {
  return Array.isArray(headers);
}

/** A plugin may return anything: what is wrong with the headers is said where the record is converted. */
function contextOrNone(headers: NonNullable<SourceRecord['headers']>): ReturnType<typeof traceContextOf> {
  try {
    return headers.length === 0 ? undefined : traceContextOf(headers);
  } catch {
    return undefined;
  }
}
