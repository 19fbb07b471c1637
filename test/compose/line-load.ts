import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/sluice-cluster.js';
import type { ComposeStack } from './compose-stack.js';
import { judgeLines, type LineVerdict } from './line-judge.js';
import type { LineWriter } from './line-writer.js';
import type { Observer } from './observer.js';

const FILES = 8;
const LINES_PER_SECOND = 25;
const TOPIC = 'load';
const SINK = 'load-out';
const OUTPUT = 'load-out.txt';
const POLL_MS = 500;
const FLOW_TIMEOUT_MS = 120_000;
/** So many more lines of each file show that it flows again, and not only what was under way has arrived. */
const FLOWING_LINES = 2 * LINES_PER_SECOND;

/** Eight growing files, each followed by a source of its own, through one topic into one file. */
export class LineLoad {
  /** Of the sources; each has one task. */
  static readonly sources: readonly string[] = Array.from({ length: FILES }, (_, index) => `load-${index + 1}`);

  private constructor(
    private readonly stack: ComposeStack,
    private readonly observer: Observer,
    private readonly writer: LineWriter,
    private readonly signal: AbortSignal,
  ) {}

  /** Resolves when lines of every file arrive. */
  static async start(stack: ComposeStack, observer: Observer, signal: AbortSignal): Promise<LineLoad> {
    for (const name of LineLoad.sources) {
      await stack.request('POST', '/connectors', {
        name,
        config: {
          'connector.class': 'FileStreamSource',
          'tasks.max': '1',
          file: `/data/${name}`,
          topic: TOPIC,
          'topic.creation.default.partitions': '4',
        },
      });
    }
    await stack.request('POST', '/connectors', {
      name: SINK,
      config: {
        'connector.class': 'FileStreamSink',
        'tasks.max': '1',
        file: `/data/${OUTPUT}`,
        topics: TOPIC,
        'offset.flush.interval.ms': '1000',
      },
    });
    const load = new LineLoad(stack, observer, observer.appendLines(LineLoad.sources, LINES_PER_SECOND), signal);
    try {
      await load.untilFlowing('after the start');
      return load;
    } catch (error) {
      load.kill();
      throw error;
    }
  }

  /** Waits until clearly more lines of every file have arrived than when it was called. */
  async untilFlowing(when: string): Promise<void> {
    const { arrived: before } = await this.#judge();
    let arrived = before;
    await until(
      `lines of all files flow ${when}`,
      async () => {
        await delay(POLL_MS, undefined, { signal: this.signal });
        ({ arrived } = await this.#judge());
        return LineLoad.sources.every((source) => countOf(arrived, source) >= countOf(before, source) + FLOWING_LINES);
      },
      FLOW_TIMEOUT_MS,
      () => `before ${describeCounts(before)}; now ${describeCounts(arrived)}`,
    );
  }

  /** Writes no more lines, waits for the last ones, stops the sink and judges what it wrote. */
  async finish(): Promise<LineVerdict & { readonly lines: number }> {
    await this.writer.stop();
    const { written } = this.writer;
    let verdict = await this.#judge();
    await until(
      'all lines have arrived',
      async () => {
        await delay(POLL_MS, undefined, { signal: this.signal });
        verdict = await this.#judge();
        return verdict.missing === 0;
      },
      FLOW_TIMEOUT_MS,
      () => JSON.stringify({ ...verdict, arrived: describeCounts(verdict.arrived) }),
    );
    await this.stack.request('PUT', `/connectors/${SINK}/stop`);
    await until(
      `${SINK} has stopped`,
      async () => {
        await delay(POLL_MS, undefined, { signal: this.signal });
        return (await this.stack.connectors()).get(SINK)?.tasks.length === 0;
      },
      FLOW_TIMEOUT_MS,
    );
    return { ...(await this.#judge()), lines: [...written.values()].reduce((sum, count) => sum + count, 0) };
  }

  kill(): void {
    this.writer.kill();
  }

  /** What is written counts after it was read: no line can have arrived that is not counted as written. */
  async #judge(): Promise<LineVerdict> {
    const text = await this.observer.read(OUTPUT);
    return judgeLines(text, this.writer.written);
  }
}

const countOf = (counts: ReadonlyMap<string, number>, source: string): number => counts.get(source) ?? 0;

function describeCounts(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([source, count]) => `${source} ${count}`).join(', ');
}
