import type { ConnectorState, DesiredTask } from '@sluice/core';
import { rateLimitsOf, type RateLimits, sharedNowMs, SharedRate } from '@sluice/runtime';

const NO_LIMITS: RateLimits = { records: undefined, bytes: undefined };

/**
 * Gives each connector's tasks on this node one rate to share, and keeps it at the node's part of the connector's limits. That part is that of the
 * tasks which the log gives to the node. The parts of all nodes are never more than the limit.
 */
export class ConnectorRates {
  readonly #rates = new Map<string, SharedRate>();
  #limits: ReadonlyMap<string, RateLimits> = new Map();

  constructor(private readonly nowMs: () => number = sharedNowMs) {}

  /** Returns what the tasks of a connector share, in whatever thread they run. */
  of(connector: string): SharedRate {
    let rate = this.#rates.get(connector);
    if (rate === undefined) {
      this.#rates.set(connector, (rate = new SharedRate(this.nowMs)));
      rate.set(this.#limits.get(connector) ?? NO_LIMITS);
    }
    return rate;
  }

  /** Takes in which tasks the node has, and of how many. Tasks that run need no restart for other limits. */
  update(desired: ReadonlyMap<string, DesiredTask>, connectors: ReadonlyMap<string, Pick<ConnectorState, 'taskCount'>>): void {
    const held = new Map<string, { readonly task: DesiredTask; count: number }>();
    for (const task of desired.values()) {
      const { connector } = task.id;
      const known = held.get(connector);
      if (known === undefined) held.set(connector, { task, count: 1 });
      else known.count += 1;
    }
    const limits = new Map<string, RateLimits>();
    for (const [connector, { task, count }] of held) {
      const whole = rateLimitsOf(task.config);
      if (whole.records === undefined && whole.bytes === undefined) continue;
      const part = count / Math.max(count, connectors.get(connector)?.taskCount ?? count);
      const partOf = (limit: number | undefined): number | undefined => (limit === undefined ? undefined : limit * part);
      limits.set(connector, { records: partOf(whole.records), bytes: partOf(whole.bytes) });
    }
    this.#limits = limits;
    for (const [connector, rate] of this.#rates) {
      if (held.has(connector)) rate.set(limits.get(connector) ?? NO_LIMITS);
      else this.#rates.delete(connector);
    }
  }
}
