import { randomBytes } from 'node:crypto';
import type { ErrorStage, TraceContext } from '@sluice/protocol';
import type { EndedSpan, SpanEvent, SpanValue } from '../ports/trace.port.js';
import type { ShownErrors } from './shown-error.js';
import type { Tracer } from './tracer.js';

/** A put may be made again without end: a trace shows the first steps, and how many it left out. */
const MAX_STEPS = 32;
const MAX_EVENTS = 16;

/** What the semantic conventions of OpenTelemetry for messaging call RocketMQ. */
export const MESSAGING = { 'messaging.system': 'rocketmq' } as const;

type Attributes = Readonly<Record<string, SpanValue>>;

/** Where a record failed: dead letters have no name for a flush, behind which there are none. */
export type TraceStage = ErrorStage | 'TASK_FLUSH';

interface OpenSpan {
  readonly spanId: string;
  readonly name: string;
  readonly kind: EndedSpan['kind'];
  readonly startMs: number;
  endMs?: number;
  readonly attributes: Record<string, SpanValue>;
  readonly events: SpanEvent[];
  droppedEvents: number;
  error?: string;
}

export interface RecordTraceOptions {
  readonly tracer: Tracer;
  /** What the record carries. */
  readonly parent: TraceContext | undefined;
  readonly name: string;
  readonly kind: EndedSpan['kind'];
  readonly attributes: Attributes;
  /** Shared by the traces of a task. */
  readonly errors: ShownErrors;
}

/** A step that is under way. */
export interface Step {
  /** What a message carries to whoever comes after this step. */
  readonly context: TraceContext;
  /** Ends the step. May be called twice: the first call counts. */
  readonly end: (attributes?: Attributes) => void;
  /** Ends the step with an error. */
  readonly fail: (error: unknown) => void;
}

/**
 * Keeps the way of one traced record through a runner: a span for the whole, and one for each step below it. It hands them over together,
 * once the record is done, so that nothing of it is exported where its thread ends before.
 */
export class RecordTrace {
  readonly #root: OpenSpan;
  readonly #traceId: string;
  readonly #steps: OpenSpan[] = [];
  /** One reading of the wall clock for all times of a trace: a clock that is set meanwhile must not stretch a step. */
  readonly #epochMs: number;
  #leftOut = 0;
  #hasEnded = false;

  constructor(private readonly options: RecordTraceOptions) {
    const { tracer, parent, name, kind, attributes } = options;
    const { clock } = tracer;
    this.#epochMs = clock.wallMs() - clock.nowMs();
    this.#traceId = parent?.traceId ?? randomBytes(16).toString('hex');
    this.#root = this.#open(name, kind, { ...attributes });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Adds what is known of the record. */
  describe(attributes: Attributes): void {
    Object.assign(this.#root.attributes, attributes);
  }

  /** Begins a step of the record. Beyond a number of them they are counted alone. */
  step(name: string, kind: EndedSpan['kind'] = 'internal', attributes: Attributes = {}): Step {
    const span = this.#addStep(name, kind, attributes);
    return {
      context: this.#contextAt(span.spanId),
      end: (more) => {
        this.#endStep(span, more);
      },
      fail: (error) => {
        if (span.endMs !== undefined) return;
        span.error = this.options.errors.of(error).message;
        this.#endStep(span);
      },
    };
  }

  /** Adds a step whose times are known: milliseconds of the clock, which begin anywhere. */
  addStep(name: string, fromMs: number, toMs: number, attributes: Attributes = {}): void {
    const span = this.#addStep(name, 'internal', attributes, this.#epochMs + fromMs);
    span.endMs = this.#epochMs + toMs;
  }

  /** The context with the whole for the span before. */
  get context(): TraceContext {
    return this.#contextAt(this.#root.spanId);
  }

  /** Notes an error, and the stage where it happened. The record may still get over it. */
  noteError(stage: TraceStage, error: unknown, className = ''): void {
    const { errors } = this.options;
    const { type, message, stack } = errors.of(error);
    this.#root.error = message;
    const ofClass = className === '' ? {} : { 'sluice.error.class': errors.nameOf(className) };
    this.describe({ 'error.type': type, 'sluice.error.stage': stage, ...ofClass });
    this.event('exception', {
      'exception.type': type,
      'exception.message': message,
      'exception.stacktrace': stack,
      'sluice.error.stage': stage,
    });
  }

  /** Forgets an error that the record got over: its event stays. */
  clearError(): void {
    delete this.#root.error;
    for (const name of ['error.type', 'sluice.error.stage', 'sluice.error.class']) {
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a handful of names, of an object that is kept a moment
      delete this.#root.attributes[name];
    }
  }

  event(name: string, attributes: Attributes = {}): void {
    if (this.#root.events.length >= MAX_EVENTS) this.#root.droppedEvents++;
    else this.#root.events.push({ name, atMs: this.#nowMs(), attributes });
  }

  /** Ends the whole, with `outcome` for what became of the record, and hands its spans over; once. */
  end(outcome: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.describe({ 'sluice.outcome': outcome, ...(this.#leftOut === 0 ? {} : { 'sluice.steps.left_out': this.#leftOut }) });
    const endMs = this.#nowMs();
    this.#root.endMs = endMs;
    for (const step of this.#steps) step.endMs ??= endMs;
    const { parent, tracer } = this.options;
    const below = { spanId: this.#root.spanId, isRemote: false };
    const before = parent === undefined ? undefined : { spanId: parent.spanId, isRemote: true };
    tracer.port.take([this.#ended(this.#root, before, endMs), ...this.#steps.map((step) => this.#ended(step, below, endMs))]);
  }

  /** Forgets the record: somebody else takes it. */
  drop(): void {
    this.#hasEnded = true;
  }

  #contextAt(spanId: string): TraceContext {
    return { traceId: this.#traceId, spanId, isSampled: true, state: this.options.parent?.state };
  }

  #open(name: string, kind: EndedSpan['kind'], attributes: Record<string, SpanValue>, startMs = this.#nowMs()): OpenSpan {
    return { spanId: randomBytes(8).toString('hex'), name, kind, startMs, attributes, events: [], droppedEvents: 0 };
  }

  #addStep(name: string, kind: EndedSpan['kind'], attributes: Attributes, startMs?: number): OpenSpan {
    const span = this.#open(name, kind, { ...attributes }, startMs);
    if (this.#steps.length < MAX_STEPS) this.#steps.push(span);
    else this.#leftOut++;
    return span;
  }

  #endStep(span: OpenSpan, attributes: Attributes = {}): void {
    if (span.endMs !== undefined) return;
    span.endMs = this.#nowMs();
    Object.assign(span.attributes, attributes);
  }

  #nowMs(): number {
    return this.#epochMs + this.options.tracer.clock.nowMs();
  }

  #ended(span: OpenSpan, parent: EndedSpan['parent'], endMs: number): EndedSpan {
    const { spanId, name, kind, startMs, attributes, events, droppedEvents, error } = span;
    return {
      traceId: this.#traceId,
      spanId,
      parent,
      state: this.options.parent?.state,
      name,
      kind,
      startMs,
      endMs: span.endMs ?? endMs,
      attributes,
      events,
      droppedEvents,
      error,
    };
  }
}

/** Returns the attributes that the span of each record has. */
export function sluiceAttributes(connector: string, index: number): Attributes {
  return { ...MESSAGING, 'sluice.connector': connector, 'sluice.task': index };
}

/**
 * Ends the trace of a record that is left out, by `end`, once its dead letter is written.
 *
 * @param written resolves when the letter is written; `undefined` where the record gets none
 * @param topic the dead letter topic
 */
export function endLeftOut(
  trace: RecordTrace,
  written: Promise<void> | undefined,
  topic: string | undefined,
  end: (outcome: string) => void,
): void {
  if (written === undefined || topic === undefined) {
    end('skipped');
    return;
  }
  const writing = trace.step(`send ${topic}`, 'producer', { ...MESSAGING, 'messaging.destination.name': topic });
  written.then(
    () => {
      writing.end();
      trace.describe({ 'sluice.dead_letter.topic': topic });
      end('dead-letter');
    },
    // The task was given up before: whoever runs it next writes the letter.
    () => {
      end('interrupted');
    },
  );
}
