import { afterEach, describe, expect, it } from '@jest/globals';
import type { EndedSpan } from '@sluice/runtime';
import { newSpanCount, noteSpans, SpanRelay, type ThreadSpans } from './span-relay.js';
import { SpanQueue } from './span-queue.js';

const span = (name: string): EndedSpan => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  name,
  kind: 'internal',
  startMs: 0,
  endMs: 1,
  attributes: {},
  events: [],
  droppedEvents: 0,
});
const spans = (count: number): readonly EndedSpan[] => Array.from({ length: count }, (_, at) => span(String(at)));

class Receiver {
  readonly batches: number[] = [];
  readonly lines: string[] = [];
  inFlight = 0;
  mostInFlight = 0;
  send: () => Promise<number> = () => Promise.resolve(0);

  queue(maxSpans = 4096): SpanQueue {
    return new SpanQueue({
      maxSpans,
      logger: { warn: (line) => this.lines.push(line) },
      send: async (batch) => {
        this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
        this.batches.push(batch.length);
        return await this.send().finally(() => this.inFlight--);
      },
    });
  }
}

describe('the queue of spans', () => {
  it('exports in batches, one after the other, and the rest when it is closed', async () => {
    const receiver = new Receiver();
    const queue = receiver.queue();
    queue.take(spans(600));
    queue.take(spans(500));
    await queue.close(5000);
    expect(receiver.batches).toEqual([512, 512, 76]);
    expect(receiver.mostInFlight).toBe(1);
    expect(queue.counts).toMatchObject({ exported: 1100, queueFull: 0, exportFailed: 0 });
    expect(receiver.lines).toEqual([]);
  });

  it('drops and counts what comes while too many wait, and never makes anybody wait', async () => {
    const receiver = new Receiver();
    let answer: () => void = () => undefined;
    receiver.send = () =>
      new Promise((resolve) => {
        answer = () => {
          resolve(0);
        };
      });
    const queue = receiver.queue(1000);
    queue.take(spans(1000));
    queue.take(spans(1));
    expect(queue.counts.queueFull).toBe(1);
    expect(receiver.lines).toEqual(['Spans are dropped: 1000 wait for their export. Dropped since the runner began: 1']);
    const closing = queue.close(50);
    await closing;
    expect(queue.counts.exportFailed).toBe(1000 - 512);
    expect(receiver.lines.at(-1)).toContain('The runner ends with 488 span(s) that are not exported');
    queue.take(spans(2));
    expect(queue.counts.queueFull).toBe(3);
    answer();
  });

  it('counts spans that the receiver rejected of those it took', async () => {
    const receiver = new Receiver();
    receiver.send = () => Promise.resolve(2);
    const queue = receiver.queue();
    queue.take(spans(3));
    await queue.close(5000);
    expect(queue.counts).toMatchObject({ exported: 1, exportFailed: 2 });
    expect(receiver.lines).toEqual(['2 of 3 span(s) are dropped: the receiver rejected them. Dropped since the runner began: 2']);
  });

  it('counts spans whose export failed, and says why', async () => {
    const receiver = new Receiver();
    receiver.send = () => Promise.reject(Object.assign(new Error(''), { code: 'ECONNREFUSED' }));
    const queue = receiver.queue();
    queue.take(spans(3));
    await queue.close(5000);
    expect(queue.counts).toMatchObject({ exported: 0, exportFailed: 3 });
    expect(receiver.lines).toEqual(['3 span(s) are dropped: their export failed: ECONNREFUSED. Dropped since the runner began: 3']);
  });
});

describe('the relay of a task thread', () => {
  let relay: SpanRelay | undefined;
  afterEach(() => {
    relay?.close();
  });

  it('sends what was traced since the last time, and nothing where that is nothing', () => {
    const sent: ThreadSpans[] = [];
    relay = new SpanRelay(newSpanCount(), (traced) => sent.push(traced));
    relay.flush();
    relay.take([span('one')]);
    relay.counts.limitedRecords = 2;
    relay.flush();
    relay.counts.invalidContexts = 1;
    relay.flush();
    relay.flush();
    expect(sent).toEqual([
      { spans: [span('one')], leftOut: 0, limitedRecords: 2, invalidContexts: 0 },
      { spans: [], leftOut: 0, limitedRecords: 0, invalidContexts: 1 },
    ]);
  });

  it('keeps a bounded number while the main thread takes none, and says how many it left out', () => {
    const sent: ThreadSpans[] = [];
    const onTheirWay = newSpanCount();
    relay = new SpanRelay(onTheirWay, (traced) => sent.push(traced));
    for (let round = 0; round < 10; round++) {
      relay.take(spans(1000));
      relay.flush();
    }
    expect(sent.map((each) => each.spans.length)).toEqual([1000, 1000, 1000, 1000]);
    for (const each of sent.slice()) noteSpans(onTheirWay, each);
    relay.flush();
    expect(sent.at(-1)).toMatchObject({ leftOut: 5000 });
    expect(sent.at(-1)?.spans).toHaveLength(1000);
    const queue = new Receiver().queue();
    queue.takeOfThread({ spans: [], leftOut: 3, limitedRecords: 2, invalidContexts: 1 });
    expect(queue.counts).toMatchObject({ threadBehind: 3, limitedRecords: 2, invalidContexts: 1 });
  });
});
