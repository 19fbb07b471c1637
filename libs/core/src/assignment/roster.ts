import type { ConnectorType } from '../model/connector.js';
import { memberKey, runnerRole } from '../model/member.js';
import type { AssignableTask, UnassignedReason, Worker } from './assignment-types.js';
import { Eligibility } from './eligibility.js';
import { compareText } from '../model/text-order.js';

/** Which workers can run a task. */
export interface Able {
  /** Their places in the roster, rising; none with a reason. */
  readonly orders: ReadonlySet<number>;
  /** The same for the same workers. */
  readonly key: string;
  readonly reason?: UnassignedReason;
}

const known = { source: new WeakMap<readonly Worker[], Roster>(), sink: new WeakMap<readonly Worker[], Roster>() };

/** The workers of one role by node id, and what they can run. Whoever plans with the same list again finds what was worked out before. */
export class Roster {
  readonly workers: readonly Worker[];
  readonly #eligibility: Eligibility;
  readonly #orders: ReadonlyMap<Worker, number>;
  readonly #byNode: ReadonlyMap<string, number>;
  readonly #byOwner: ReadonlyMap<string, number>;
  readonly #able = new Map<string, Able>();

  private constructor(type: ConnectorType, workers: readonly Worker[]) {
    const role = runnerRole(type);
    this.workers = workers.filter((worker) => worker.role === role).sort((a, b) => compareText(a.nodeId, b.nodeId));
    this.#eligibility = new Eligibility(role, this.workers);
    this.#orders = new Map(this.workers.map((worker, order) => [worker, order]));
    this.#byNode = new Map(this.workers.map(({ nodeId }, order) => [nodeId, order]));
    this.#byOwner = new Map(this.workers.map((worker, order) => [memberKey(worker), order]));
  }

  /** @param workers - is not changed any more. */
  static of(type: ConnectorType, workers: readonly Worker[]): Roster {
    let roster = known[type].get(workers);
    if (roster === undefined) known[type].set(workers, (roster = new Roster(type, workers)));
    return roster;
  }

  /** Returns the place of the worker with a node id; undefined where the roster has none. */
  orderOfNode(nodeId: string): number | undefined {
    return this.#byNode.get(nodeId);
  }

  /**
   * Returns the place of the worker that is this incarnation; undefined where the roster has none.
   *
   * @param owner - a `memberKey`
   */
  orderOfOwner(owner: string): number | undefined {
    return this.#byOwner.get(owner);
  }

  /** @param need - says the class and the placement of the task, and nothing else. */
  able(need: string, task: Pick<AssignableTask, 'connectorClass' | 'placement'>): Able {
    let able = this.#able.get(need);
    if (able === undefined) {
      const { workers, reason } = this.#eligibility.find(task);
      const orders = workers.flatMap((worker) => this.#orders.get(worker) ?? []);
      able = { orders: new Set(orders), key: orders.join(' '), ...(reason === undefined ? {} : { reason }) };
      this.#able.set(need, able);
    }
    return able;
  }
}
