import { taskKey, type DesiredTask } from '@sluice/core';
import type { ScopedLogger } from '@sluice/node';
import type { ConfigSecrets, ResolvedTask } from '@sluice/runtime';
import { pause } from '@sluice/time';

/** A look that comes a little early counts. */
const DUE_TOLERANCE_MS = 500;
/** The longest time between two restarts of a task, in milliseconds: some providers make another value for each question. */
const MAX_RESTART_WAIT_MS = 600_000;

interface LastRestart {
  readonly atMs: number;
  /** How long the task does not restart again. */
  readonly waitMs: number;
}

export interface SecretWatchOptions {
  readonly secrets: Pick<ConfigSecrets, 'current'>;
  /** Keys of the tasks that the node holds. */
  readonly held: () => ReadonlySet<string>;
  /** Has a task come back with its new values. */
  readonly renew: (key: string) => void;
  readonly logger: Pick<ScopedLogger, 'info' | 'debug'>;
  readonly nowMs: () => number;
  /** Time between two looks at a value that does not say how long it holds, in milliseconds. */
  readonly intervalMs: number;
}

/** Restarts tasks whose settings hold references, when the value of one has changed. Values are asked for once, however many tasks use them. */
export class SecretWatch {
  /** By task key: the values with which a task started last. */
  readonly #used = new Map<string, ReadonlyMap<string, string>>();
  /** By reference: when it is asked for again. */
  readonly #dueMs = new Map<string, number>();
  /** By task key. */
  readonly #restarts = new Map<string, LastRestart>();
  readonly #stopping = new AbortController();

  constructor(private readonly options: SecretWatchOptions) {}

  /** Notes with which values a task starts. */
  note({ id }: DesiredTask, { config, resolved = [] }: ResolvedTask): void {
    const key = taskKey(id);
    const reload = (config['secrets.reload'] ?? config['config.action.reload'] ?? 'restart').trim();
    if (reload !== 'restart' || resolved.length === 0) this.#used.delete(key);
    else {
      this.#used.set(key, new Map(resolved.map(({ source, value }) => [source, value])));
      for (const { source, ttlMs } of resolved)
        if (ttlMs !== undefined && !this.#dueMs.has(source)) this.#dueMs.set(source, this.#dueAfter(ttlMs));
    }
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      await pause(this.options.intervalMs, signal);
      if (signal.aborted) return;
      await this.look();
    }
  }

  /** Asks for the values that are due, and renews the tasks that started with others. One that is not available now changes nothing. */
  async look(): Promise<void> {
    const { secrets, held, renew, logger, nowMs } = this.options;
    const keys = held();
    for (const key of this.#used.keys()) if (!keys.has(key)) this.#used.delete(key);
    const sources = new Set([...this.#used.values()].flatMap((values) => [...values.keys()]));
    for (const source of this.#dueMs.keys()) if (!sources.has(source)) this.#dueMs.delete(source);
    const due = [...sources].filter((source) => (this.#dueMs.get(source) ?? 0) <= nowMs());
    const found = await secrets.current(due, this.#stopping.signal);
    for (const source of due) this.#dueMs.set(source, this.#dueAfter(found.get(source)?.ttlMs ?? 0));
    for (const [key, { atMs }] of this.#restarts) if (nowMs() - atMs >= 2 * MAX_RESTART_WAIT_MS) this.#restarts.delete(key);
    for (const [key, values] of this.#used) {
      const changed = [...values].find(([source, value]) => (found.get(source)?.value ?? value) !== value);
      if (changed === undefined || !held().has(key)) continue;
      const before = this.#restarts.get(key);
      const sinceMs = before === undefined ? Infinity : nowMs() - before.atMs;
      if (before !== undefined && sinceMs < before.waitMs - DUE_TOLERANCE_MS) {
        this.#dueMs.set(changed[0], before.atMs + before.waitMs - DUE_TOLERANCE_MS);
        continue;
      }
      this.#restarts.set(key, { atMs: nowMs(), waitMs: this.#nextWaitMs(before, sinceMs) });
      logger.info(`Task ${key} restarts: the value of ${changed[0]} has changed`);
      this.#used.delete(key);
      renew(key);
    }
  }

  #dueAfter(ttlMs: number): number {
    const { nowMs, intervalMs } = this.options;
    return nowMs() + Math.max(intervalMs, ttlMs) - DUE_TOLERANCE_MS;
  }

  #nextWaitMs(before: LastRestart | undefined, sinceMs: number): number {
    const first = 2 * this.options.intervalMs;
    return before === undefined || sinceMs >= 2 * before.waitMs ? first : Math.min(2 * before.waitMs, MAX_RESTART_WAIT_MS);
  }
}
