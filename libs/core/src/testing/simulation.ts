import { foldEntries, emptyState } from '../log/fold.js';
import type { ClusterState } from '../model/cluster-state.js';
import type { CommandBody } from '../model/command.js';
import { taskKey } from '../model/connector.js';
import type { LogEntry } from '../model/entry.js';
import { SimBroker } from './sim-broker.js';
import { SimClock } from './sim-clock.js';
import { SimCoordinator, type Ask } from './sim-coordinator.js';
import { SimRunner } from './sim-runner.js';

/** Three coordinators and three runners under crashes, pauses, stalls and bad sends, all from one seed. */
export class Simulation {
  readonly clock: SimClock;
  readonly broker: SimBroker;
  readonly coordinators: SimCoordinator[] = [];
  readonly runners: SimRunner[] = [];
  readonly violations: string[] = [];
  readonly #leaders = new Map<number, string>();
  #incarnations = 0;
  #requests = 0;
  #isCalm = false;

  constructor(seed: number) {
    this.clock = new SimClock(seed);
    this.broker = new SimBroker(this.clock);
    for (const nodeId of ['c1', 'c2', 'c3']) this.coordinators.push(this.#coordinator(nodeId));
    for (const nodeId of ['r1', 'r2', 'r3']) this.runners.push(this.#runner(nodeId));
  }

  /** Faults and commands for a while, then peace until everything must be in order. */
  run(faultyMs: number, calmMs: number): void {
    let checkedAt = 0;
    const check = (): void => {
      if (this.clock.now < checkedAt + 5) return;
      checkedAt = this.clock.now;
      this.#check();
    };
    for (let at = 2_000; at < faultyMs; at += 1_500) {
      this.clock.after(at + this.clock.random() * 1_000, () => {
        this.#disturb();
      });
      this.clock.after(at + this.clock.random() * 1_000, () => {
        this.#command();
      });
    }
    this.#keepAlive();
    this.clock.runUntil(faultyMs, check);
    this.#isCalm = true;
    this.broker.isFaulty = false;
    this.clock.runUntil(faultyMs + calmMs, check);
  }

  accepted(): { readonly state: ClusterState; readonly entries: readonly LogEntry[] } {
    const { state, skipped } = foldEntries(emptyState(), this.broker.log);
    const out = new Set(skipped.map(({ offset }) => offset));
    return { state, entries: this.broker.log.filter(({ offset }) => !out.has(offset)).map(({ entry }) => entry) };
  }

  #coordinator(nodeId: string, supersedes?: string): SimCoordinator {
    this.#incarnations += 1;
    return new SimCoordinator(this.broker, nodeId, `i${String(this.#incarnations)}`, supersedes, this.#ask);
  }

  #runner(nodeId: string, supersedes?: string): SimRunner {
    this.#incarnations += 1;
    return new SimRunner(this.broker, nodeId, `i${String(this.#incarnations)}`, supersedes);
  }

  readonly #ask: Ask = (effect, reply) => {
    const { nodeId, config, maxTasks } = effect;
    const fate = this.broker.isFaulty ? this.clock.random() : 1;
    const runner = this.runners.find((each) => each.nodeId === nodeId && !each.isDead);
    if (fate < 0.15 || runner === undefined) {
      this.clock.after(fate < 0.07 ? 20_000 : 3_000, () => {
        reply({ kind: 'timeout' });
      });
      return;
    }
    runner.after(this.clock.random() * 200, () => {
      if (fate < 0.2) reply({ kind: 'no-such-plugin' });
      else if (config['bad'] === 'yes') reply({ kind: 'error', error: 'cannot be split' });
      else reply({ kind: 'tasks', tasks: Array.from({ length: maxTasks }, (_, i) => ({ part: String(i) })) });
    });
  };

  /** Starts again what died or was put out, as a supervisor does. */
  #keepAlive(): void {
    this.clock.after(500, () => {
      this.coordinators.forEach((each, i) => {
        if (each.isDead && (this.#isCalm || this.clock.random() < 0.2)) {
          this.coordinators[i] = this.#coordinator(each.nodeId, this.#lockOf(each));
        }
      });
      this.runners.forEach((each, i) => {
        if (each.mustRestart || (each.isLeaving && each.running.size === 0)) each.isDead = true;
        if (each.isDead && (this.#isCalm || this.clock.random() < 0.2)) {
          this.runners[i] = this.#runner(each.nodeId, this.#lockOf(each));
        }
      });
      this.#keepAlive();
    });
  }

  /** Most nodes come back on the same state directory. */
  #lockOf(before: { readonly incarnation: string }): string | undefined {
    return this.clock.random() < 0.7 ? before.incarnation : undefined;
  }

  #disturb(): void {
    const { clock } = this;
    const process = clock.random() < 0.5 ? clock.pick(this.coordinators) : clock.pick(this.runners);
    const what = clock.random();
    if (process === undefined || process.isDead) return;
    if (what < 0.25) process.isDead = true;
    else if (what < 0.6) process.pausedUntil = clock.now + clock.random() * 12_000;
    else if (what < 0.7) this.broker.stalledUntil = clock.now + clock.random() * 9_000;
    else if (what < 0.8 && process instanceof SimRunner) process.mutedUntil = clock.now + clock.random() * 12_000;
    else if (what < 0.9 && process instanceof SimRunner) process.leave();
    else if (what < 0.85 && process instanceof SimCoordinator) process.stop();
  }

  #command(): void {
    this.#requests += 1;
    const requestId = `q${String(this.#requests)}`;
    const name = this.clock.pick(['a', 'b', 'c']) ?? 'a';
    const config = {
      'connector.class': this.clock.pick(['FileSource', 'alias.FileSource']) ?? '',
      'tasks.max': String(1 + Math.floor(this.clock.random() * 5)),
      bad: this.clock.random() < 0.1 ? 'yes' : 'no',
      request: requestId,
    };
    const mode = this.clock.random() < 0.4 ? ('create' as const) : ('upsert' as const);
    const put: CommandBody = { kind: 'connector.put', mode, name, type: 'source', config };
    const targetState = this.clock.pick(['RUNNING', 'PAUSED', 'STOPPED'] as const) ?? 'RUNNING';
    const task = { connector: name, index: 0 };
    const body = this.clock.pick<CommandBody>([
      put,
      put,
      put,
      { kind: 'connector.target', name, targetState },
      { kind: 'connector.delete', name },
      { kind: 'tasks.restart', name, tasks: [task] },
      { kind: 'connector.restart', name },
    ]);
    const command = { requestId, sentAt: 1e12 + this.clock.now, from: 'g', ...(body ?? put) };
    this.broker.commands.push(command);
    if (this.clock.random() < 0.3) {
      this.clock.after(this.clock.random() * 9_000, () => this.broker.commands.push(command));
    }
  }

  #check(): void {
    for (const each of this.coordinators) {
      if (each.isDead || !each.isLeader) continue;
      const { epoch } = each.state.cluster;
      const known = this.#leaders.get(epoch);
      if (known === undefined) this.#leaders.set(epoch, each.incarnation);
      else if (known !== each.incarnation) this.#violate(`two leaders of epoch ${String(epoch)}`);
    }
    const owners = new Map<string, string>();
    for (const runner of this.runners) {
      for (const key of runner.active()) {
        const other = owners.get(key);
        if (other !== undefined) this.#violate(`${key} on ${other} and ${runner.nodeId}`);
        owners.set(key, runner.nodeId);
      }
    }
  }

  #violate(what: string): void {
    this.violations.push(`${this.clock.now.toFixed(0)}: ${what}`);
  }

  /** What is wrong once peace has lasted; empty if nothing is. */
  unsettled(): readonly string[] {
    const { state, entries } = this.accepted();
    const wrong: string[] = [];
    if (this.coordinators.filter((each) => !each.isDead && each.isLeader).length !== 1) wrong.push('not one leader');
    for (const { requestId } of this.broker.commands) {
      if (!state.results.has(requestId)) wrong.push(`command ${requestId} was lost`);
    }
    const puts = new Map<string, number>();
    let lastOffset = -1;
    for (const { event } of entries) {
      if (event.kind !== 'command.done') continue;
      if (event.result.commandOffset <= lastOffset) wrong.push(`command ${event.result.requestId} was done again`);
      lastOffset = event.result.commandOffset;
      const command = this.broker.commands[event.result.commandOffset];
      if (command?.kind !== 'connector.put' || event.result.outcome.status !== 'done') continue;
      puts.set(command.requestId, puts.get(command.requestId) ?? 0);
    }
    let previous: LogEntry | undefined;
    for (const entry of entries) {
      if (entry.event.kind === 'command.done' && previous?.event.kind === 'connector.put') {
        const { requestId } = entry.event.result;
        if (puts.has(requestId)) puts.set(requestId, (puts.get(requestId) ?? 0) + 1);
      }
      previous = entry;
    }
    for (const [requestId, count] of puts) {
      if (count !== 1) wrong.push(`command ${requestId} was applied ${String(count)} times`);
    }
    for (const connector of state.connectors.values()) {
      const isSplit = connector.tasksVersion === connector.configVersion || connector.error !== undefined;
      if (!isSplit && connector.targetState !== 'STOPPED') wrong.push(`${connector.name} is not split`);
    }
    for (const [key, { id, assignment }] of state.tasks) {
      const connector = state.connectors.get(id.connector);
      const isWanted = connector !== undefined && connector.targetState !== 'STOPPED';
      const runner = this.runners.find((each) => each.incarnation === assignment?.incarnation && !each.isDead);
      const isRunning = runner?.running.get(key)?.generation === assignment?.generation && runner?.hasLease === true;
      const mayWait = connector?.error !== undefined && assignment === undefined;
      if (isWanted && !mayWait && !isRunning) wrong.push(`${key} does not run: ${JSON.stringify(assignment)}`);
      if (!isWanted && assignment !== undefined) wrong.push(`${key} is still held`);
    }
    for (const runner of this.runners) {
      for (const [key, { id }] of runner.running) {
        if (state.tasks.get(taskKey(id))?.assignment?.incarnation !== runner.incarnation)
          wrong.push(`${key} runs unasked`);
      }
    }
    return wrong;
  }
}
