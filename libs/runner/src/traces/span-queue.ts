import { pause, RateLimitedLogger } from '@sluice/time';
import type { ScopedLogger } from '@sluice/node';
import type { EndedSpan, TraceCounts, TracePort } from '@sluice/runtime';
import type { ThreadSpans } from './span-relay.js';

/** Spans that are sent in one request, and how long they may wait for others, in milliseconds. */
const MAX_BATCH = 512;
const BATCH_INTERVAL_MS = 1000;
/** How often the log may say that spans are dropped, in milliseconds. */
const LOG_INTERVAL_MS = 10_000;

/** What became of the spans of this runner. */
export interface SpanCounts extends TraceCounts {
  exported: number;
  /** Dropped: too many waited. */
  queueFull: number;
  /** Dropped: the receiver did not take them. */
  exportFailed: number;
  /** Dropped in a task thread: the main thread did not take them. */
  threadBehind: number;
}

export interface SpanQueueOptions {
  /** Sends spans; resolves with how many of them the receiver rejected, rejects when it did not take them. One call is made at a time. */
  readonly send: (spans: readonly EndedSpan[]) => Promise<number>;
  readonly maxSpans: number;
  readonly logger: Pick<ScopedLogger, 'warn'>;
}

/** Keeps a bounded number of spans until they are exported. Those for which there is no room are dropped and counted. */
export class SpanQueue implements TracePort {
  readonly counts: SpanCounts = { limitedRecords: 0, invalidContexts: 0, exported: 0, queueFull: 0, exportFailed: 0, threadBehind: 0 };
  #spans: EndedSpan[] = [];
  #running: Promise<void> | undefined;
  /** Aborted when spans wait no longer for others. */
  #hurry = new AbortController();
  #isClosing = false;
  /** Aborted when nothing is logged any more. */
  readonly #closed = new AbortController();
  readonly #drops: RateLimitedLogger;

  constructor(private readonly options: SpanQueueOptions) {
    const log = options.logger.warn.bind(options.logger);
    this.#drops = new RateLimitedLogger({ log, intervalMs: LOG_INTERVAL_MS, signal: this.#closed.signal });
  }

  take(spans: readonly EndedSpan[]): void {
    if (this.#isClosing || this.#spans.length + spans.length > this.options.maxSpans) {
      this.counts.queueFull += spans.length;
      this.#drops.write(`Spans are dropped: ${this.#spans.length} wait for their export. ${this.#total}`);
      return;
    }
    this.#spans.push(...spans);
    if (this.#spans.length >= MAX_BATCH) this.#hurry.abort();
    this.#running ??= this.#run();
  }

  /** Takes what a task thread has traced. */
  takeOfThread({ spans, limitedRecords, invalidContexts, leftOut }: ThreadSpans): void {
    this.counts.limitedRecords += limitedRecords;
    this.counts.invalidContexts += invalidContexts;
    this.counts.threadBehind += leftOut;
    if (spans.length > 0) this.take(spans);
  }

  /** Exports what waits, for `limitMs` at most. What is left then is dropped and counted. */
  async close(limitMs: number): Promise<void> {
    this.#isClosing = true;
    this.#hurry.abort();
    const over = new AbortController();
    const limit = pause(limitMs, over.signal);
    await Promise.race([this.#running, limit]);
    over.abort();
    await limit;
    const left = this.#spans.length;
    this.#spans = [];
    this.counts.exportFailed += left;
    if (left > 0) this.options.logger.warn(`The runner ends with ${left} span(s) that are not exported. ${this.#total}`);
    this.#closed.abort();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    while (this.#spans.length > 0) {
      const isFull = this.#spans.length >= MAX_BATCH || this.#isClosing;
      this.#hurry = new AbortController();
      // Never at once: whoever gave the spans handles its records before they are encoded.
      await pause(isFull ? 0 : BATCH_INTERVAL_MS, this.#hurry.signal);
      const batch = this.#spans.splice(0, MAX_BATCH);
      try {
        const rejected = Math.min(await this.options.send(batch), batch.length);
        this.counts.exported += batch.length - rejected;
        this.counts.exportFailed += rejected;
        if (rejected > 0)
          this.#drops.write(`${rejected} of ${batch.length} span(s) are dropped: the receiver rejected them. ${this.#total}`);
      } catch (error) {
        this.counts.exportFailed += batch.length;
        this.#drops.write(`${batch.length} span(s) are dropped: their export failed: ${reasonOf(error)}. ${this.#total}`);
      }
    }
    this.#running = undefined;
  }

  get #total(): string {
    const { queueFull, exportFailed, threadBehind } = this.counts;
    return `Dropped since the runner began: ${queueFull + exportFailed + threadBehind}`;
  }
}

/** The error of a connection to a host with several addresses has no message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? ((error as NodeJS.ErrnoException).code ?? error.name) : error.message;
}
