import { runnerRole, type Labels, type Role } from '../model/member.js';
import type { AssignableTask, UnassignedReason, Worker } from './assignment-types.js';
import { labelsText } from '../model/placement.js';

/** Decides which workers of one role can run a task. Needs of the same class and placement are looked at once. */
export class Eligibility {
  readonly #role: Role;
  /** All workers of the role. */
  readonly #workers: readonly Worker[];
  readonly #withPlugin = new Map<string, readonly Worker[]>();

  constructor(role: Role, workers: readonly Worker[]) {
    this.#role = role;
    this.#workers = workers.filter((worker) => worker.role === role);
  }

  /** The workers that can run such a task, in the order of the fleet; none with the reason. */
  find(task: Pick<AssignableTask, 'connectorClass' | 'placement'>): {
    readonly workers: readonly Worker[];
    readonly reason?: UnassignedReason;
  } {
    const { connectorClass, placement = {} } = task;
    const role = this.#role;
    if (this.#workers.length === 0) return none('no-worker', `No worker of role ${role} is a member.`);
    const skilled = this.#listing(connectorClass);
    const plugin = `plugin ${connectorClass}`;
    if (skilled.length === 0) return none('no-plugin', `No worker of role ${role} has ${plugin}.`);
    const labelled = skilled.filter((worker) => carries(worker, placement));
    const place = `${plugin}${Object.keys(placement).length > 0 ? ` and labels ${labelsText(placement)}` : ''}`;
    if (labelled.length === 0) return none('no-labels', `No worker of role ${role} has ${place}.`);
    const staying = labelled.filter(({ draining }) => draining !== true);
    if (staying.length === 0) return none('all-draining', `All workers of role ${role} with ${place} are draining.`);
    const able = staying.filter(({ capacity }) => capacity > 0);
    if (able.length === 0) return none('no-capacity', `All workers of role ${role} with ${place} have capacity 0.`);
    return { workers: able };
  }

  #listing(connectorClass: string): readonly Worker[] {
    let skilled = this.#withPlugin.get(connectorClass);
    if (skilled === undefined) {
      skilled = this.#workers.filter(({ plugins }) => plugins.includes(connectorClass));
      this.#withPlugin.set(connectorClass, skilled);
    }
    return skilled;
  }
}

/** Whether one worker can run a task. */
export function canRun(worker: Worker, task: AssignableTask): boolean {
  if (worker.role !== runnerRole(task.type) || worker.draining === true || !(worker.capacity > 0)) return false;
  return worker.plugins.includes(task.connectorClass) && carries(worker, task.placement ?? {});
}

function carries({ labels = {} }: Worker, placement: Labels): boolean {
  return Object.entries(placement).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}

function none(code: UnassignedReason['code'], message: string): { readonly workers: readonly Worker[]; readonly reason: UnassignedReason } {
  return { workers: [], reason: { code, message } };
}
