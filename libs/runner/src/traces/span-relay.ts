import type { EndedSpan, TraceCounts, TracePort } from '@sluice/runtime';

/** Spans that a thread keeps until it sends them, and those that may be on their way to the main thread. */
const MAX_KEPT = 1024;
const MAX_ON_THEIR_WAY = 4096;
const SEND_INTERVAL_MS = 250;

/** What a task thread has traced since it last said so. */
export interface ThreadSpans extends TraceCounts {
  readonly spans: readonly EndedSpan[];
  /** Spans that the thread had no room for. */
  readonly leftOut: number;
}

/** Counts the spans on their way from one thread: the thread adds, the main thread takes off. */
export function newSpanCount(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

/** Notes in the main thread that spans have arrived. */
export function noteSpans(onTheirWay: SharedArrayBuffer, { spans }: ThreadSpans): void {
  Atomics.sub(new Int32Array(onTheirWay), 0, spans.length);
}

/** Sends the spans of a task thread to the main thread, which exports them. Beyond a number of them they are counted and left out. */
export class SpanRelay implements TracePort {
  readonly counts: TraceCounts = { limitedRecords: 0, invalidContexts: 0 };
  readonly #onTheirWay: Int32Array;
  readonly #timer: NodeJS.Timeout;
  #spans: EndedSpan[] = [];
  #leftOut = 0;

  constructor(
    onTheirWay: SharedArrayBuffer,
    private readonly send: (traced: ThreadSpans) => void,
  ) {
    this.#onTheirWay = new Int32Array(onTheirWay);
    this.#timer = setInterval(() => {
      this.flush();
    }, SEND_INTERVAL_MS).unref();
  }

  take(spans: readonly EndedSpan[]): void {
    if (this.#spans.length + spans.length > MAX_KEPT) this.#leftOut += spans.length;
    else this.#spans.push(...spans);
  }

  /** Sends what there is, unless the main thread has not taken what was sent before. */
  flush(): void {
    const { limitedRecords, invalidContexts } = this.counts;
    if (this.#spans.length + this.#leftOut + limitedRecords + invalidContexts === 0) return;
    if (Atomics.load(this.#onTheirWay, 0) > MAX_ON_THEIR_WAY - MAX_KEPT) return;
    const [spans, leftOut] = [this.#spans, this.#leftOut];
    Atomics.add(this.#onTheirWay, 0, spans.length);
    this.#spans = [];
    this.#leftOut = 0;
    Object.assign(this.counts, { limitedRecords: 0, invalidContexts: 0 });
    this.send({ spans, leftOut, limitedRecords, invalidContexts });
  }

  /** Sends what there is for the last time. */
  close(): void {
    clearInterval(this.#timer);
    this.flush();
  }
}
