import { eventsIn, runnerRole, taskKey, type LogEvent, type ReadEntry, type Role, type TaskId } from '@sluice/core';
import type { Interval } from './observations.js';

/** Why a task ended on a worker. `lost`: the log says that the worker is gone. `needless`: it was moved though nothing was uneven. */
export type StayEnd = 'lost' | 'left' | 'moved' | 'needless' | 'restarted' | 'reconfigured' | 'stopped' | 'deleted' | 'released';

/** A task with one generation on one worker; `toMs` is infinite while it is there. */
export interface Stay extends Interval {
  readonly id: TaskId;
  readonly generation: number;
  readonly nodeId: string;
  readonly end?: StayEnd;
}

interface Worker {
  readonly incarnation: string;
  readonly role: Role;
  isSuspected: boolean;
}

/** Where every task was from when to when, in the order in which it was given, from what stands in the log. */
export function staysOf(entries: readonly ReadEntry[]): readonly Stay[] {
  const history = new History();
  for (const { entry } of entries) {
    for (const event of eventsIn(entry.event)) history.take(event, entry.seq, entry.at);
  }
  return history.stays;
}

class History {
  readonly stays: Stay[] = [];
  readonly #open = new Map<string, number>();
  readonly #workers = new Map<string, Worker>();
  readonly #roles = new Map<string, Role>();
  /** Tasks that nobody has, and whose they must be: they go to the workers that have the fewest. */
  readonly #waiting = new Map<string, Role>();

  take(event: LogEvent, seq: number, atMs: number): void {
    if (event.kind === 'connector.put') this.#roles.set(event.name, runnerRole(event.type));
    if (event.kind === 'member.joined') this.#workers.set(event.member.nodeId, { ...event.member, isSuspected: false });
    if (event.kind === 'member.suspected') this.#suspect(event.nodeId, true);
    if (event.kind === 'member.cleared') this.#suspect(event.nodeId, false);
    if (event.kind === 'member.left') this.#leave(event.nodeId, event.reason === 'leaving' ? 'left' : 'lost', atMs);
    if (event.kind === 'tasks.assigned') {
      for (const { connector, index, nodeId } of event.tasks) this.#give({ connector, index }, nodeId, seq, atMs);
    }
    if (event.kind === 'tasks.revoked') {
      for (const id of event.tasks) {
        const isNeedless = event.reason === 'moved' && !this.#isUneven(taskKey(id));
        this.#end(taskKey(id), isNeedless ? 'needless' : event.reason, atMs);
      }
    }
    if (event.kind === 'tasks.released') for (const id of event.tasks) this.#end(taskKey(id), 'released', atMs);
  }

  #suspect(nodeId: string, isSuspected: boolean): void {
    const worker = this.#workers.get(nodeId);
    if (worker !== undefined) worker.isSuspected = isSuspected;
  }

  #leave(nodeId: string, end: 'left' | 'lost', atMs: number): void {
    this.#workers.delete(nodeId);
    for (const [key, at] of [...this.#open]) if (this.stays[at]?.nodeId === nodeId) this.#end(key, end, atMs);
  }

  #give(id: TaskId, nodeId: string, generation: number, fromMs: number): void {
    const key = taskKey(id);
    this.#end(key, 'released', fromMs);
    this.#waiting.delete(key);
    this.#open.set(key, this.stays.length);
    this.stays.push({ id, generation, nodeId, fromMs, toMs: Infinity });
  }

  #end(key: string, end: StayEnd, toMs: number): void {
    const at = this.#open.get(key);
    const stay = at === undefined ? undefined : this.stays[at];
    if (at === undefined || stay === undefined) return;
    this.stays[at] = { ...stay, toMs, end };
    this.#open.delete(key);
    const role = this.#roles.get(stay.id.connector);
    if (role !== undefined && end !== 'stopped' && end !== 'deleted') this.#waiting.set(key, role);
  }

  /** The holder has at least two tasks more than some other one would, had that got what waits. */
  #isUneven(key: string): boolean {
    const holder = this.stays[this.#open.get(key) ?? -1]?.nodeId ?? '';
    const role = this.#workers.get(holder)?.role;
    const loads = new Map<string, number>();
    for (const [nodeId, worker] of this.#workers) {
      if (worker.role === role && (!worker.isSuspected || nodeId === holder)) loads.set(nodeId, 0);
    }
    const add = (nodeId: string): void => void loads.set(nodeId, (loads.get(nodeId) ?? 0) + 1);
    for (const at of this.#open.values()) {
      const nodeId = this.stays[at]?.nodeId ?? '';
      if (loads.has(nodeId)) add(nodeId);
    }
    const least = (): readonly [string, number] =>
      [...loads].reduce<readonly [string, number]>((fewest, each) => (each[1] < fewest[1] ? each : fewest), ['', Infinity]);
    for (const waiting of this.#waiting.values()) if (waiting === role && loads.size > 0) add(least()[0]);
    return (loads.get(holder) ?? 0) - least()[1] >= 2;
  }
}
