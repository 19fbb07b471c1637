import type { EndedSpan, TraceCounts, TracePort } from '../ports/trace.port.js';
import { Tracer } from '../traces/tracer.js';
import type { Clock } from '../ports/clock.port.js';

/** Keeps the spans of traced records. */
export class SpanList implements TracePort {
  readonly spans: EndedSpan[] = [];
  readonly counts: TraceCounts = { limitedRecords: 0, invalidContexts: 0 };

  take(spans: readonly EndedSpan[]): void {
    this.spans.push(...spans);
  }

  /** Returns a tracer that begins a trace for each record without a context, or for none. */
  tracer(clock: Clock, ratio = 1): Tracer {
    return new Tracer({ ratio, maxPerSecond: 1000 }, this, clock);
  }

  /** Names of the spans with what they are below of, and what became of the record. */
  get tree(): readonly string[] {
    return this.spans.map(({ name, parent, attributes }) => {
      const above = this.spans.find(({ spanId }) => spanId === parent?.spanId)?.name ?? (parent === undefined ? '' : 'remote');
      const outcome = attributes['sluice.outcome'];
      return `${above === '' ? '' : `${above} > `}${name}${outcome === undefined ? '' : `: ${outcome}`}`;
    });
  }

  named(name: string): EndedSpan {
    const span = this.spans.find((each) => each.name === name);
    if (span === undefined) throw new Error(`no span ${name} among ${this.spans.map((each) => each.name).join(', ')}`);
    return span;
  }
}
