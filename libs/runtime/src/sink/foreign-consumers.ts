import type { QueueRef } from '@sluice/sdk';
import type { SinkLoopPorts, SinkLoopSpec } from './sink-loop-options.js';

export interface ForeignConsumersOptions {
  readonly spec: Pick<SinkLoopSpec, 'group' | 'warnings'>;
  readonly ports: Pick<SinkLoopPorts, 'offsets' | 'clock'>;
  readonly queues: () => readonly QueueRef[];
}

/** How often one broker is asked who else is in the group. */
const INTERVAL_MS = 60_000;
/** How many clients of other applications a task names in warnings. */
const MAX_NAMED = 100;

/** Warns of clients outside the Connect cluster that consume with the sink's group. */
export class ForeignConsumers {
  /** Client ids that a warning has named. */
  readonly #named = new Set<string>();
  #looks = 0;
  #lookAtMs = -Infinity;

  constructor(private readonly options: ForeignConsumersOptions) {}

  /** Asks one broker a minute, each in turn, and warns once of each client. Never rejects. */
  async look(): Promise<void> {
    const { spec, ports } = this.options;
    const queues = this.options.queues();
    const nowMs = ports.clock.nowMs();
    const queue = queues[this.#looks % Math.max(1, queues.length)];
    if (queue === undefined || nowMs < this.#lookAtMs || this.#named.size >= MAX_NAMED) return;
    this.#looks++;
    this.#lookAtMs = nowMs + INTERVAL_MS;
    const found = await ports.offsets.foreignConsumers(spec.group, queue).catch(() => []);
    const news = found.filter((id) => !this.#named.has(id)).slice(0, MAX_NAMED - this.#named.size);
    if (news.length === 0) return;
    for (const id of news) this.#named.add(id);
    spec.warnings.add(
      `Consumer group ${spec.group} belongs to this sink, and other applications consume with it: client ${news.join(', ')}. ` +
        'They can move its offsets, so that records are lost or read twice. Give them a group of their own',
    );
  }
}
