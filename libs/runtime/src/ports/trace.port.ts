/** A value of an attribute. */
export type SpanValue = string | number | boolean;

/** What happened at one moment of a span. */
export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since the epoch, with fractions. */
  readonly atMs: number;
  readonly attributes: Readonly<Record<string, SpanValue>>;
}

/** One step of a record that was traced, once it is over. Holds plain data: it goes from thread to thread. */
export interface EndedSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly parent?: { readonly spanId: string; readonly isRemote: boolean } | undefined;
  /** `tracestate` of the trace. */
  readonly state?: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'producer' | 'consumer' | 'client';
  /** Milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, SpanValue>>;
  readonly events: readonly SpanEvent[];
  /** Events that were left out: a span has a limited number. */
  readonly droppedEvents: number;
  /** Why the step failed, without secrets. */
  readonly error?: string | undefined;
}

/** What tracing has counted since its process, or thread, began. */
export interface TraceCounts {
  /** Records that were to be traced and were not, for too many were traced in that second. */
  limitedRecords: number;
  /** Values of `traceparent` that are not valid. */
  invalidContexts: number;
}

/** Where the spans of traced records go. */
export interface TracePort {
  readonly counts: TraceCounts;
  /** Takes the spans of one record. Returns at once and never throws: what there is no room for is counted and left out. */
  take(spans: readonly EndedSpan[]): void;
}
