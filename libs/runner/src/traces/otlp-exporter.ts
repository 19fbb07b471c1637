import { inspect } from 'node:util';
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
import { hideEmbedded, secretsRemover } from '@sluice/sdk';
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
/** The most that the log shows of what the exporter reports, in characters. */
const MAX_LOGGED = 1000;
/** The most of one part of that, before secrets are searched for. */
const MAX_PART = 10_000;

/** Exports spans by OTLP over HTTP, as JSON. Loaded only where records are traced: its packages take time and memory. */
export interface SpanExporter {
  /** Resolves with how many spans the receiver rejected of those it took; rejects when it has not in time, or refuses all. */
  readonly send: (spans: readonly EndedSpan[]) => Promise<number>;
  readonly close: () => void;
}

/** @param resource what all spans are of: attributes by the names of OpenTelemetry's conventions */
export function openExporter(
  { endpoint, headers, timeoutMs }: TracingSettings,
  resource: Readonly<Record<string, string>> & { readonly 'service.version': string },
  logger: Pick<ScopedLogger, 'warn'>,
): SpanExporter {
  const closed = new AbortController();
  const hideHeaders = headersHider(headers);
  const log = (message: string): void => {
    logger.warn(shortened(hideEmbedded(hideHeaders(message)), MAX_LOGGED));
  };
  const limited = new RateLimitedLogger({ log, intervalMs: LOG_INTERVAL_MS, signal: closed.signal });
  /** Of the request under way: the exporter makes one at a time, and reports what was rejected before it calls back. */
  let rejected = 0;
  const write = (...parts: readonly unknown[]): void => {
    for (const part of parts) if (typeof part === 'string') rejected += rejectedIn(part);
    limited.write(parts.map(textOf).join(' '));
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
        rejected = 0;
        exporter.export(readable, ({ code, error }: { readonly code: number; readonly error?: Error }) => {
          if (code === SUCCESS) resolve(rejected);
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

/** Takes the values of headers, and the words of them such as a token, out of texts: a receiver may repeat them. */
function headersHider(headers: TracingSettings['headers']): (text: string) => string {
  const values = Object.values(headers).flatMap((value) => [value, ...value.split(/\s+/)]);
  return secretsRemover(Object.fromEntries(values.map((value, at) => [String(at), value])), () => true);
}

function textOf(part: unknown): string {
  const text = typeof part === 'string' ? part : inspect(part, { depth: 2 });
  return shortened(text, MAX_PART);
}

function shortened(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}...` : text;
}

/**
 * Returns how many spans a receiver has rejected of a request that it took. The exporter logs the answer's `partialSuccess` as JSON.
 * It calls such a request successful, and hands the answer to nobody else.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#partial-success
 */
function rejectedIn(text: string): number {
  if (!text.startsWith('{') || !text.includes('"rejectedSpans"')) return 0;
  try {
    // A number of 64 bits: JSON of Protocol Buffers has it as a text.
    const count = Number((JSON.parse(text) as { readonly rejectedSpans?: unknown }).rejectedSpans);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    return 0;
  }
}

/** Seconds and nanoseconds. */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * 1e6)];
}
