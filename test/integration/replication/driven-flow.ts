import { connectors } from '@sluice/connector-rocketmq';
import { parsePartition } from '@sluice/replication';
import {
  type AgreedPairs,
  isRetriable,
  queueKey,
  type QueueRef,
  type SourceConnector,
  type SourceRecord,
  type SourceTask,
  type SplitContext,
  type TaskConfig,
} from '@sluice/sdk';
import { RememberedPositions, sourceTestContext } from '@sluice/testing';
import { until } from '../../support/sluice-cluster.js';

export const rocketMqSource = connectors.find(({ name }) => name === 'RocketMQSource') as SourceConnector;

/** Pairs that are agreed upon in memory, by the rules of the log. */
export class PairsInMemory implements AgreedPairs {
  readonly pairs = new Map<string, string>();
  /** Called before each addition. */
  beforeExtend: () => void = () => undefined;

  read(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map(this.pairs));
  }

  extend(pairs: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, string>> {
    this.beforeExtend();
    const values = new Set(this.pairs.values());
    for (const [key, value] of pairs) {
      if (this.pairs.has(key) || values.has(value)) continue;
      this.pairs.set(key, value);
      values.add(value);
    }
    return this.read();
  }
}

/** Splits the connector as the runtime does. */
export async function split(config: TaskConfig, pairs: AgreedPairs, maxTasks = 1): Promise<readonly TaskConfig[]> {
  for (let attempt = 1; ; attempt++) {
    const context: SplitContext = { connectorName: 'flow', pairs, signal: AbortSignal.timeout(60_000) };
    try {
      return await rocketMqSource.taskConfigs(config, maxTasks, context);
    } catch (error) {
      if (!isRetriable(error) || attempt === 5) throw error;
    }
  }
}

/** A task that the spec drives in the place of the runtime. */
export class DrivenTask {
  readonly warnings: string[] = [];
  readonly waits: (string | undefined)[] = [];
  readonly records: SourceRecord[] = [];
  readonly #task: SourceTask = rocketMqSource.createTask();
  readonly #abort = new AbortController();

  private constructor(
    private readonly config: TaskConfig,
    readonly positions: RememberedPositions,
  ) {}

  static async start(config: TaskConfig, positions = new RememberedPositions()): Promise<DrivenTask> {
    const driven = new DrivenTask(config, positions);
    const { warnings, waits } = driven;
    await driven.#task.start(sourceTestContext({ config, warnings, waits, signal: driven.#abort.signal }, positions));
    return driven;
  }

  /** Polls once; the positions of what comes are treated as stored. */
  async poll(): Promise<readonly SourceRecord[]> {
    const polled = await this.#task.poll(this.#abort.signal);
    for (const { partition, position } of polled) this.positions.set(partition, position);
    // Marks have no topic.
    this.records.push(...polled.filter(({ topic }) => topic !== ''));
    await this.#task.commit?.(polled.map(({ partition, position }) => ({ partition, position })));
    return polled;
  }

  /** Polls until there are so many records in all. */
  async take(count: number): Promise<readonly SourceRecord[]> {
    const isThere = async (): Promise<boolean> => {
      await this.poll();
      return this.records.length >= count;
    };
    await until(
      `${count} records`,
      isThere,
      undefined,
      () => `${this.records.length} so far; it waits for ${this.waits.at(-1) ?? 'nothing'}`,
    );
    return this.records;
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error('The spec stops the task'));
    await this.#task.stop();
  }
}

/** Records by the text of their source partition's queue. */
export function byQueue(records: readonly SourceRecord[]): ReadonlyMap<string, readonly SourceRecord[]> {
  const queues = new Map<string, SourceRecord[]>();
  for (const record of records) {
    const queue = parsePartition(record.partition)?.queue;
    if (queue === undefined) throw new Error(`no queue: ${JSON.stringify(record.partition)}`);
    queues.set(queueKey(queue), [...(queues.get(queueKey(queue)) ?? []), record]);
  }
  return queues;
}

interface Link {
  readonly source: QueueRef;
  readonly target: QueueRef;
  readonly start: number;
}

/** Returns the queues that the settings of a task name. */
export function linksIn(task: TaskConfig): readonly Link[] {
  type Run = readonly [string, number, string, number, number, number];
  const topics = JSON.parse(task['sluice.task.queues'] ?? '') as readonly (readonly [string, string, readonly Run[]])[];
  return topics.flatMap(([topic, targetTopic, runs]) =>
    runs.flatMap(([broker, first, targetBroker, targetFirst, count, start]) =>
      Array.from({ length: count }, (_, at) => ({
        source: { topic, brokerName: broker, queueId: first + at },
        target: { topic: targetTopic, brokerName: targetBroker, queueId: targetFirst + at },
        start,
      })),
    ),
  );
}
