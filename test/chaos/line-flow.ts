import { readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { judgeLines, type LineVerdict } from '../compose/line-judge.js';
import { appendLines } from '../support/sample-lines.js';
import { until, type SluiceCluster } from '../support/sluice-cluster.js';

const LINES_PER_STEP = 100;
const STEP_MS = 100;
const NAME = 'line';

/** Numbered lines of a growing file through a topic of one queue into a file: the connectors `lines-in` and `lines-out`. */
export class LineFlow {
  #written = 0;
  readonly #stopped = new AbortController();
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly cluster: SluiceCluster,
    readonly topic: string,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  /** @param settings of both connectors */
  static async start(cluster: SluiceCluster, settings: Readonly<Record<string, string>> = {}): Promise<LineFlow> {
    const flow = new LineFlow(cluster, cluster.topic('lines'), settings);
    await flow.#append(1);
    const topic = { topic: flow.topic, 'topic.creation.default.partitions': '1' };
    await flow.#post('lines-in', { 'connector.class': 'FileStreamSource', file: flow.#input, ...topic });
    await flow.readInto('lines-out', 'out.txt');
    flow.#writing = flow.#write();
    return flow;
  }

  /** Posts a sink that reads the topic from its first line. */
  async readInto(connector: string, file: string): Promise<void> {
    await this.#post(connector, { 'connector.class': 'FileStreamSink', file: this.cluster.path(file), topics: this.topic });
  }

  /** Resolves when all that is written by now has arrived. */
  async untilPassed(timeoutMs: number, file = 'out.txt'): Promise<void> {
    const goal = await sizeOf(this.#input);
    let size = 0;
    await until(
      `${file} has what is written`,
      async () => {
        size = await sizeOf(this.cluster.path(file));
        return size >= goal;
      },
      timeoutMs,
      () => `${size} of ${goal} bytes`,
    );
  }

  /** No more lines are written once this has resolved. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#writing;
  }

  async verdict(file = 'out.txt'): Promise<LineVerdict> {
    return judgeLines(await readFile(this.cluster.path(file), 'utf8'), new Map([[NAME, this.#written]]));
  }

  get #input(): string {
    return this.cluster.path('in.txt');
  }

  async #write(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await this.#append(LINES_PER_STEP);
      await delay(STEP_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #append(count: number): Promise<void> {
    await appendLines(this.#input, this.#written, this.#written + count, (number) => `${NAME} ${number}`);
    this.#written += count;
  }

  async #post(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const answer = await this.cluster.request('POST', '/connectors', { name, config: { ...this.settings, ...config } });
    if (answer.status !== 201) throw new Error(`${name} is refused: ${JSON.stringify(answer)}`);
  }
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => ({ size: 0 }))).size;
}
