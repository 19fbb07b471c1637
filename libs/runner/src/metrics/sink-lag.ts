import { pause } from '@sluice/time';
import { taskKey, type TaskId } from '@sluice/core';
import { queueKey, type QueueRef } from '@sluice/sdk';
import type { MetricRegistry } from '@sluice/node';
import type { SinkProgress } from './sink-progress.js';

/** How often the ends of queues are asked for, in milliseconds. */
const MEASURE_INTERVAL_MS = 5000;
/** Questions to one broker under way at once. */
const MAX_QUESTIONS = 8;

export interface ConnectorLag {
  readonly messages: number;
  /** Since the oldest of the ends was learned, in milliseconds. */
  readonly ageMs: number;
}

/** Knows the ends of the queues of a task. */
export interface EndsOfTask {
  endOffset(queue: QueueRef): Promise<number>;
  /** Called once nobody asks any more. */
  release(): void;
}

interface ReadQueue {
  readonly queue: QueueRef;
  readonly task: ReadTask;
  /** The loop that reads it, or read it last. */
  loop: number;
  /** Committed, or where reading began. */
  position: number;
  end: number | undefined;
  /** When the end was learned; monotonic. */
  learnedAt: number;
}

interface ReadTask {
  readonly connector: string;
  readonly generation: number;
  loops: number;
  /** Of the last loop. */
  ends: EndsOfTask;
  readonly queues: Map<string, ReadQueue>;
}

export interface SinkLagOptions {
  /** Keys of the tasks that this node holds, failed ones included: a sink that fails falls behind. */
  readonly held: () => ReadonlySet<string>;
  readonly onError: (queue: QueueRef, error: Error) => void;
  readonly nowMs?: () => number;
}

/**
 * Measures how far the sinks of a node are behind their queues, in messages that are not committed. It watches what the tasks read and commit. It asks
 * for the ends of these queues every few seconds, so that a stalled task is behind too.
 */
export class SinkLag {
  readonly #tasks = new Map<string, ReadTask>();
  readonly #ended = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** By the name of the broker that is being asked. */
  readonly #measuring = new Map<string, Promise<void>>();

  constructor(private readonly options: SinkLagOptions) {}

  /** Returns what has to hear of a new loop of a task, and keeps `ends` until another loop brings others or the task is gone. */
  watch(task: { readonly id: TaskId; readonly generation: number }, ends: EndsOfTask): SinkProgress {
    const of = this.#taskOf(task, ends);
    of.loops += 1;
    const loop = of.loops;
    return {
      opened: (queue, from) => {
        const key = queueKey(queue);
        const known = of.queues.get(key);
        // A loop reads a queue again, after an error, from behind what it has not committed yet.
        if (known === undefined) {
          of.queues.set(key, { queue, task: of, loop, position: from, end: undefined, learnedAt: 0 });
        } else if (known.loop !== loop) {
          known.loop = loop;
          known.position = from;
        }
      },
      committed: (_, positions, resets) => {
        for (const { queue, nextOffset } of [...positions, ...resets]) {
          const known = of.queues.get(queueKey(queue));
          if (known?.loop === loop) known.position = nextOffset;
        }
      },
    };
  }

  /** By connector, without queues whose end is not known yet. */
  byConnector(): ReadonlyMap<string, ConnectorLag> {
    this.#forgetOthers();
    const lags = new Map<string, ConnectorLag>();
    const now = this.#nowMs();
    for (const { connector, queues } of this.#tasks.values()) {
      for (const { end, position, learnedAt } of queues.values()) {
        if (end === undefined) continue;
        const { messages, ageMs } = lags.get(connector) ?? { messages: 0, ageMs: 0 };
        lags.set(connector, {
          messages: messages + Math.max(0, end - position),
          ageMs: Math.max(ageMs, now - learnedAt),
        });
      }
    }
    return lags;
  }

  /** By task key, in messages; as {@link byConnector}, with 0 for a task that has no such queue. */
  byTask(): ReadonlyMap<string, number> {
    this.#forgetOthers();
    const lags = new Map<string, number>();
    for (const [key, { queues }] of this.#tasks) {
      let messages = 0;
      for (const { end, position } of queues.values()) if (end !== undefined) messages += Math.max(0, end - position);
      lags.set(key, messages);
    }
    return lags;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
    for (const { ends } of this.#tasks.values()) ends.release();
    this.#tasks.clear();
  }

  /**
   * Asks for the ends of all queues once, of each broker on its own: one that does not answer delays no other. Never rejects: an end that no broker
   * reports stays as it was and grows older.
   */
  async measure(): Promise<void> {
    this.#forgetOthers();
    const byBroker = new Map<string, ReadQueue[]>();
    for (const { queues } of this.#tasks.values()) {
      for (const read of queues.values()) {
        const { brokerName } = read.queue;
        const ofBroker = byBroker.get(brokerName);
        if (ofBroker === undefined) byBroker.set(brokerName, [read]);
        else ofBroker.push(read);
      }
    }
    for (const [brokerName, queues] of byBroker) {
      if (this.#measuring.has(brokerName)) continue;
      const measuring = this.#measureBroker(queues).finally(() => this.#measuring.delete(brokerName));
      this.#measuring.set(brokerName, measuring);
    }
    await Promise.all(this.#measuring.values());
  }

  async #measureBroker(waiting: ReadQueue[]): Promise<void> {
    const ask = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (this.#ended.signal.aborted) return;
        const askedAt = this.#nowMs();
        try {
          next.end = await next.task.ends.endOffset(next.queue);
          next.learnedAt = askedAt;
        } catch (error) {
          this.options.onError(next.queue, error as Error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(MAX_QUESTIONS, waiting.length) }, ask));
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    let last: Promise<void> = Promise.resolve();
    while (!signal.aborted) {
      last = this.measure();
      await pause(MEASURE_INTERVAL_MS, signal);
    }
    await last;
  }

  /** A new generation may have other queues. */
  #taskOf({ id, generation }: { readonly id: TaskId; readonly generation: number }, ends: EndsOfTask): ReadTask {
    const key = taskKey(id);
    const known = this.#tasks.get(key);
    known?.ends.release();
    if (known?.generation === generation) {
      known.ends = ends;
      return known;
    }
    const fresh = { connector: id.connector, generation, loops: 0, ends, queues: new Map<string, ReadQueue>() };
    this.#tasks.set(key, fresh);
    return fresh;
  }

  #forgetOthers(): void {
    const held = this.options.held();
    for (const [key, { ends }] of this.#tasks) {
      if (held.has(key)) continue;
      ends.release();
      this.#tasks.delete(key);
    }
  }

  #nowMs(): number {
    return this.options.nowMs?.() ?? performance.now();
  }
}

/** Registers the metrics of lags. */
export function collectLag(metrics: MetricRegistry, lag: SinkLag): void {
  metrics.collect('sluice_connector_lag_messages', () =>
    [...lag.byConnector()].map(([connector, { messages }]) => ({ labels: { connector }, value: messages })),
  );
  metrics.collect('sluice_connector_lag_age_seconds', () =>
    [...lag.byConnector()].map(([connector, { ageMs }]) => ({ labels: { connector }, value: ageMs / 1000 })),
  );
}
