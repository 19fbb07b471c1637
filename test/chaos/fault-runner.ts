import { setTimeout as delay } from 'node:timers/promises';
import type { RoleHandle, SluiceCluster } from '../support/sluice-cluster.js';
import { leaderOf, startAndWait } from './crew.js';
import type { PlannedFault } from './fault-plan.js';
import type { AppliedFault, UnaskedEnd } from './observations.js';

/** A process that was woken ends within this time, if its tasks are not its own any more. */
const awakeMs = 15_000;
const superviseMs = 250;
const mostStarts = 5;

/** Does what a plan says to the processes of a cluster, and starts again what has ended, as a supervisor would. */
export class FaultRunner {
  readonly #applied: AppliedFault[] = [];
  readonly #unaskedEnds: UnaskedEnd[] = [];
  /** Whose end is no surprise now. */
  readonly #struck = new Set<string>();
  readonly #ended = new AbortController();
  readonly #supervising: Promise<void>;

  constructor(
    private readonly cluster: SluiceCluster,
    private readonly tell: (line: string) => void,
  ) {
    this.#supervising = this.#supervise();
  }

  get applied(): readonly AppliedFault[] {
    return this.#applied;
  }

  get unaskedEnds(): readonly UnaskedEnd[] {
    return this.#unaskedEnds;
  }

  /** Resolves once the last fault is over and whom it struck is up again. */
  async run(plan: readonly PlannedFault[]): Promise<void> {
    const beganAt = performance.now();
    const running: Promise<void>[] = [];
    for (const fault of plan) {
      await delay(Math.max(0, beganAt + fault.atMs - performance.now()));
      running.push(this.#apply(fault));
    }
    await Promise.all(running);
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#supervising;
  }

  async #apply(fault: PlannedFault): Promise<void> {
    const leader = await leaderOf(this.cluster);
    const nodeId = nodeOf(fault, leader);
    const told = `${fault.kind} ${nodeId ?? fault.target}${fault.awayMs === 0 ? '' : `, away for ${String(fault.awayMs)} ms`}`;
    const handle = this.cluster.roles.find(({ id }) => id === nodeId);
    const isThere = handle === undefined ? nodeId === 'broker' : handle.isRunning && !this.#struck.has(handle.id);
    if (nodeId === undefined || !isThere) {
      this.tell(`${told}: nobody to strike`);
      return;
    }
    this.tell(told);
    this.#struck.add(nodeId);
    const fromMs = Date.now();
    if (handle === undefined) await this.cluster.rocketmq.restartBroker();
    else await this.#strike(handle, fault);
    this.#struck.delete(nodeId);
    this.#applied.push({ fault, nodeId, isLeader: nodeId === leader, fromMs, toMs: Date.now() });
  }

  async #strike(handle: RoleHandle, { kind, awayMs }: PlannedFault): Promise<void> {
    const back = delay(awayMs);
    switch (kind) {
      case 'kill':
        await handle.kill('SIGKILL');
        await back;
        break;
      case 'terminate':
        await handle.kill('SIGTERM');
        await back;
        break;
      case 'stop':
        await handle.kill('SIGSTOP');
        await back;
        await handle.kill('SIGCONT');
        // One whose session was not over goes on.
        await Promise.race([handle.ended, delay(awakeMs, undefined, { ref: false })]);
        if (handle.isRunning) return;
        break;
      case 'restart':
        throw new Error('only the broker is restarted');
    }
    await this.#start(handle);
  }

  async #start(handle: RoleHandle): Promise<void> {
    for (let start = 1; start <= mostStarts; start += 1) {
      if (await startAndWait(handle)) return;
      this.#noteEnd(handle);
    }
    throw new Error(`${handle.id} does not start: ${handle.log.slice(-1500)}`);
  }

  async #supervise(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      for (const handle of this.cluster.roles) {
        if (handle.isRunning || this.#struck.has(handle.id)) continue;
        this.#noteEnd(handle);
        this.#struck.add(handle.id);
        await this.#start(handle);
        this.#struck.delete(handle.id);
      }
      await delay(superviseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #noteEnd(handle: RoleHandle): void {
    const lastWords = handle.log.trimEnd().split('\n').at(-1) ?? '';
    this.tell(`${handle.id} has ended by itself: ${lastWords}`);
    this.#unaskedEnds.push({ nodeId: handle.id, atMs: Date.now(), lastWords });
  }
}

function nodeOf({ target, index }: PlannedFault, leader: string | undefined): string | undefined {
  if (target === 'leader') return leader;
  return target === 'broker' ? target : `${target}-${String(index)}`;
}
