import { OutageLogger, type ScopedLogger } from '@sluice/node';
import { pause } from '@sluice/time';

export interface PluginWatchOptions {
  /** Loads the packages that have come. */
  readonly load: () => Promise<void>;
  readonly logger: ScopedLogger;
  readonly intervalMs: number;
}

/** Loads new plugin packages while the runner works, until it is stopped. */
export class PluginWatch {
  readonly #stopping = new AbortController();
  readonly #outages: OutageLogger;

  constructor(private readonly options: PluginWatchOptions) {
    this.#outages = new OutageLogger(options.logger, 'The folders of plugins can be read again');
  }

  start(): void {
    void this.#run();
  }

  /** A package that is being loaded then cannot be stopped; it delays nobody. */
  stop(): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    const { load, intervalMs } = this.options;
    const { signal } = this.#stopping;
    for (;;) {
      await pause(intervalMs, signal);
      if (signal.aborted) return;
      try {
        await load();
        this.#outages.worked();
      } catch (error) {
        this.#outages.failed((error as Error).message);
      }
    }
  }
}
