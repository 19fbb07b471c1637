import {
  createTraceState,
  diag,
  DiagLogLevel,
  type HrTime,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { hideEmbedded } from '@sluice/sdk';
import { RateLimitedLogger } from '@sluice/time';
import type { ScopedLogger, TracingSettings } from '@sluice/node';
import type { EndedSpan } from '@sluice/runtime';

type ReadableSpan = Parameters<OTLPTraceExporter['export']>[0][number];

const KINDS: Readonly<Record<EndedSpan['kind'], SpanKind>> = {
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
};
const SUCCESS = 0;
const LOG_INTERVAL_MS = 10_000;

/** Exports spans by OTLP over HTTP, as JSON. Loaded only where records are traced: its packages take time and memory. */
export interface SpanExporter {
  /** Resolves when the receiver has taken the spans; rejects when it has not in time, or refuses them. */
  readonly send: (spans: readonly EndedSpan[]) => Promise<void>;
  readonly close: () => void;
}

/** @param resource what all spans are of: attributes by the names of OpenTelemetry's conventions */
export function openExporter(
  { endpoint, headers, timeoutMs }: TracingSettings,
  resource: Readonly<Record<string, string>> & { readonly 'service.version': string },
  logger: Pick<ScopedLogger, 'warn'>,
): SpanExporter {
  const closed = new AbortController();
  const log = (message: string): void => {
    logger.warn(hideEmbedded(message));
  };
  const limited = new RateLimitedLogger({ log, intervalMs: LOG_INTERVAL_MS, signal: closed.signal });
  const write = (message: string): void => {
    limited.write(message);
  };
  const quiet = (): void => undefined;
  diag.setLogger({ error: write, warn: write, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.WARN);
  const exporter = new OTLPTraceExporter({ url: endpoint, headers: { ...headers }, timeoutMillis: timeoutMs, concurrencyLimit: 1 });
  const shared = {
    resource: resourceFromAttributes(resource),
    instrumentationScope: { name: 'sluice', version: resource['service.version'] },
    links: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedLinksCount: 0,
  };
  return {
    send: (spans) =>
      new Promise((resolve, reject) => {
        const readable = spans.map((span) => ({ ...shared, ...readableOf(span) }));
        exporter.export(readable, ({ code, error }: { readonly code: number; readonly error?: Error }) => {
          if (code === SUCCESS) resolve();
          else reject(error ?? new Error('the exporter gives no reason'));
        });
      }),
    close: () => {
      diag.disable();
      closed.abort();
    },
  };
}

type OfSpan = Omit<ReadableSpan, 'resource' | 'instrumentationScope' | 'links' | 'ended' | 'droppedAttributesCount' | 'droppedLinksCount'>;

function readableOf(span: EndedSpan): OfSpan {
  const { name, kind, startMs, endMs, attributes, events, droppedEvents, error, parent } = span;
  const contextOf = (spanId: string, isRemote: boolean): SpanContext => ({
    traceId: span.traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote,
    ...(span.state === undefined ? {} : { traceState: createTraceState(span.state) }),
  });
  const own = contextOf(span.spanId, false);
  return {
    name,
    kind: KINDS[kind],
    spanContext: () => own,
    ...(parent === undefined ? {} : { parentSpanContext: contextOf(parent.spanId, parent.isRemote) }),
    startTime: timeOf(startMs),
    endTime: timeOf(endMs),
    duration: timeOf(endMs - startMs),
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes,
    events: events.map((event) => ({ name: event.name, time: timeOf(event.atMs), attributes: event.attributes })),
    droppedEventsCount: droppedEvents,
  };
}

/** Seconds and nanoseconds. */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1e6)];
}
