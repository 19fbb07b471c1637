import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { until, type RoleHandle, type IsolatedCluster } from '../support/sluice-cluster.js';
import { isLive, leaderOf, startAndWait } from './crew.js';
import type { PlannedFault } from './fault-plan.js';
import type { AppliedFault, UnaskedEnd } from './observations.js';

/** A process that was woken has ended within this time, unless it is still a member: it may need a broker to find out. */
const AWAKE_MS = 240_000;
/** For this long it reads what happened during its suspension; a process that is still a member then continues. */
const READ_MS = 3000;
/** A fault waits this long for its target. On a slow machine the target may still be starting, or a leader may have to be elected. */
const AWAITED_MS = 60_000;
const SUPERVISE_MS = 250;
const MOST_STARTS = 5;

interface Victim {
  readonly nodeId: string;
  /** Undefined for the broker. */
  readonly handle: RoleHandle | undefined;
  readonly isLeader: boolean;
}

/** Does what a plan says to the processes of a cluster, and starts again what has ended, as a supervisor would. */
export class FaultRunner {
  readonly #applied: AppliedFault[] = [];
  readonly #unaskedEnds: UnaskedEnd[] = [];
  /** Whose end is no surprise now. */
  readonly #struck = new Set<string>();
  readonly #ended = new AbortController();
  readonly #supervising: Promise<void>;
  #acting: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly cluster: IsolatedCluster,
    private readonly tell: (line: string) => void,
  ) {
    // Every fault of a plan waits for its time.
    setMaxListeners(0, this.#ended.signal);
    this.#supervising = this.#supervise();
    // Thrown by `stop`.
    this.#supervising.catch(() => undefined);
  }

  get applied(): readonly AppliedFault[] {
    return this.#applied;
  }

  get unaskedEnds(): readonly UnaskedEnd[] {
    return this.#unaskedEnds;
  }

  /** Resolves once the last fault is over and whom it struck is up again. To be called once. */
  async run(plan: readonly PlannedFault[]): Promise<void> {
    const beganAt = performance.now();
    const { signal } = this.#ended;
    const acts = plan.map(async (fault) => {
      await delay(Math.max(0, beganAt + fault.atMs - performance.now()), undefined, { signal });
      await this.#apply(fault);
    });
    this.#acting = Promise.allSettled(acts);
    await Promise.all(acts);
  }

  /** Nothing is struck or started any more once this has resolved. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#supervising;
    await this.#acting;
  }

  async #apply(fault: PlannedFault): Promise<void> {
    const victim = await until('whom the fault strikes', () => this.#taken(fault), AWAITED_MS).catch(() => undefined);
    const away = fault.awayMs === 0 ? '' : `, away for ${fault.awayMs} ms`;
    if (victim === undefined) {
      this.tell(`${fault.kind} ${fault.target}${away}: nobody to strike`);
      return;
    }
    const { nodeId, handle, isLeader } = victim;
    this.tell(`${fault.kind} ${nodeId}${away}`);
    const fromMs = Date.now();
    if (handle === undefined) await this.cluster.rocketmq.restartBroker();
    else await this.#strike(handle, fault);
    this.#struck.delete(nodeId);
    this.#applied.push({ fault, nodeId, isLeader, fromMs, toMs: Date.now() });
  }

  /** Whom a fault strikes now; no other fault does until it is over. */
  async #taken(fault: PlannedFault): Promise<Victim | undefined> {
    const leader = await leaderOf(this.cluster);
    const nodeId = nodeOf(fault, leader);
    this.#ended.signal.throwIfAborted();
    if (nodeId === undefined) return undefined;
    const handle = nodeId === 'broker' ? undefined : this.cluster.role(nodeId);
    if (handle !== undefined && !(this.#isThere(handle) && this.#hasOther(handle))) return undefined;
    this.#struck.add(nodeId);
    return { nodeId, handle, isLeader: nodeId === leader };
  }

  #isThere(handle: RoleHandle): boolean {
    return handle.isRunning && !this.#struck.has(handle.id);
  }

  /** On a slow machine others of its role may still be down: nobody could take its place then. */
  #hasOther(struck: RoleHandle): boolean {
    return this.cluster.roles.some((other) => other !== struck && other.role === struck.role && this.#isThere(other));
  }

  async #strike(handle: RoleHandle, { kind, awayMs }: PlannedFault): Promise<void> {
    const { signal } = this.#ended;
    const wakesAt = performance.now() + awayMs;
    const back = (): Promise<void> => delay(Math.max(0, wakesAt - performance.now()), undefined, { signal });
    switch (kind) {
      case 'kill':
        await handle.kill('SIGKILL');
        await back();
        break;
      case 'terminate':
        await handle.kill('SIGTERM');
        await back();
        break;
      case 'stop':
        await handle.kill('SIGSTOP');
        await back();
        await handle.kill('SIGCONT');
        await Promise.race([handle.ended, delay(READ_MS, undefined, { signal })]);
        await until(
          `${handle.id} has ended or is a member`,
          async () => !handle.isRunning || (await isLive(this.cluster, handle.id)),
          AWAKE_MS,
        );
        if (handle.isRunning) return;
        break;
      case 'restart':
        throw new Error('only the broker is restarted');
    }
    await this.#start(handle);
  }

  async #start(handle: RoleHandle): Promise<void> {
    for (let start = 1; start <= MOST_STARTS; start += 1) {
      if (this.#ended.signal.aborted) return;
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
      await delay(SUPERVISE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #noteEnd(handle: RoleHandle): void {
    const { lastWords } = handle;
    this.tell(`${handle.id} has ended by itself: ${lastWords}`);
    this.#unaskedEnds.push({ nodeId: handle.id, atMs: Date.now(), lastWords });
  }
}

function nodeOf({ target, index }: PlannedFault, leader: string | undefined): string | undefined {
  if (target === 'leader') return leader;
  return target === 'broker' ? target : `${target}-${index}`;
}
