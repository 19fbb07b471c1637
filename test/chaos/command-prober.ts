import { setTimeout as delay } from 'node:timers/promises';
import type { SluiceCluster } from '../support/sluice-cluster.js';
import type { CommandProbe } from './observations.js';

const INTERVAL_MS = 500;
/** Commands that wait for an answer at a time. */
const MOST_OPEN = 60;

/** Gives the cluster a command that changes nothing, twice a second, whether the ones before are answered or not. */
export class CommandProber {
  readonly #probes: CommandProbe[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  readonly #probing: Promise<void>;

  constructor(private readonly cluster: SluiceCluster) {
    this.#probing = this.#probe();
  }

  /** Those that were answered or failed. */
  get probes(): readonly CommandProbe[] {
    return this.#probes;
  }

  /** Waits for the answers that are still to come. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#probing;
    await Promise.all(this.#open);
  }

  async #probe(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      if (this.#open.size < MOST_OPEN) {
        const probe = this.#send();
        this.#open.add(probe);
        void probe.finally(() => this.#open.delete(probe));
      }
      await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #send(): Promise<void> {
    const sentMs = Date.now();
    const answer = await this.cluster.request('PATCH', '/cluster/settings', {}).catch(() => undefined);
    this.#probes.push({ sentMs, answeredMs: Date.now(), status: answer?.status ?? 0 });
  }
}
