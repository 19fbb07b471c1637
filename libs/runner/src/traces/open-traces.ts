import { type ClusterNode, type MetricRegistry, ownVersion } from '@sluice/node';
import { type Sampling, systemClock, Tracer } from '@sluice/runtime';
import { SpanQueue } from './span-queue.js';

/** How long a runner may take at its end to export what waits, in milliseconds. */
const CLOSE_LIMIT_MS = 3000;

const NOTHING: SpanQueue['counts'] = {
  limitedRecords: 0,
  invalidContexts: 0,
  exported: 0,
  queueFull: 0,
  exportFailed: 0,
  threadBehind: 0,
};

/** What a runner traces with. */
export interface RunnerTraces {
  /** Of tasks in the main thread. */
  readonly tracer: Tracer;
  /** What each task thread may trace. */
  readonly ofThread: Sampling;
  readonly queue: SpanQueue;
  /** Exports what waits, within a limit. */
  readonly close: () => Promise<void>;
}

/** Prepares the tracing of a runner; resolves with `undefined` where its settings name no receiver of traces. */
export async function openTraces({ settings, logger }: ClusterNode): Promise<RunnerTraces | undefined> {
  const { tracing, role, nodeId, clusterId, threads } = settings;
  if (tracing === undefined) return undefined;
  const { openExporter } = await import('./otlp-exporter.js');
  const scoped = logger.scoped('traces');
  const resource = {
    'service.name': tracing.serviceName,
    'service.version': ownVersion(),
    'service.instance.id': nodeId,
    'sluice.cluster': clusterId,
    'sluice.role': role,
  };
  const exporter = openExporter(tracing, resource, scoped);
  const queue = new SpanQueue({ send: exporter.send, maxSpans: tracing.maxQueuedSpans, logger: scoped });
  const { ratio, maxPerSecond } = tracing;
  scoped.info(`Records are traced: ${ratio} of those without a context, at most ${maxPerSecond} in a second`);
  return {
    tracer: new Tracer({ ratio, maxPerSecond }, queue, systemClock),
    ofThread: { ratio, maxPerSecond: Math.max(1, Math.floor(maxPerSecond / threads.count)) },
    queue,
    close: async () => {
      await queue.close(CLOSE_LIMIT_MS);
      exporter.close();
    },
  };
}

/** Shows what became of the spans; zeros where no record is traced. */
export function collectTraces(metrics: MetricRegistry, traces: RunnerTraces | undefined): void {
  const counts = traces?.queue.counts ?? NOTHING;
  metrics.collect('sluice_trace_spans_total', () => [
    { labels: { outcome: 'exported' }, value: counts.exported },
    { labels: { outcome: 'queue_full' }, value: counts.queueFull },
    { labels: { outcome: 'export_failed' }, value: counts.exportFailed },
    { labels: { outcome: 'thread_behind' }, value: counts.threadBehind },
  ]);
  metrics.collectOne('sluice_trace_records_limited_total', () => counts.limitedRecords);
  metrics.collectOne('sluice_trace_contexts_invalid_total', () => counts.invalidContexts);
}
