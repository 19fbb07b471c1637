import { setTimeout as delay } from 'node:timers/promises';
import type { SluiceCluster } from '../support/sluice-cluster.js';
import type { TaskSighting } from './observations.js';

interface StatusAnswer {
  readonly status?: {
    readonly tasks: readonly {
      readonly id: number;
      readonly state: string;
      readonly worker_id: string;
      readonly generation?: number;
      readonly since?: number;
    }[];
  };
}

const INTERVAL_MS = 200;

/** Asks the REST API for the state of all tasks again and again, and keeps what changes. */
export class StatusWatch {
  readonly #sightings: TaskSighting[] = [];
  readonly #last = new Map<string, string>();
  readonly #ended = new AbortController();
  readonly #watching: Promise<void>;

  constructor(private readonly cluster: SluiceCluster) {
    this.#watching = this.#watch();
  }

  get sightings(): readonly TaskSighting[] {
    return this.#sightings;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      // A read that is refused, for instance while the broker is down, says nothing about the tasks.
      const answer = await this.cluster.request('GET', '/connectors?expand=status').catch(() => undefined);
      if (answer?.status === 200) this.#note(answer.body as Readonly<Record<string, StatusAnswer>>, Date.now());
      await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #note(answers: Readonly<Record<string, StatusAnswer>>, seenMs: number): void {
    for (const [connector, { status }] of Object.entries(answers)) {
      for (const { id, state, worker_id: workerId, generation, since } of status?.tasks ?? []) {
        const seen = { connector, task: id, state, workerId, ...(generation === undefined ? {} : { generation }) };
        const sighting = { ...seen, ...(since === undefined ? {} : { sinceMs: since }) };
        const key = `${connector}-${id}`;
        const text = JSON.stringify(sighting);
        if (this.#last.get(key) === text) continue;
        this.#last.set(key, text);
        this.#sightings.push({ ...sighting, seenMs });
      }
    }
  }
}
