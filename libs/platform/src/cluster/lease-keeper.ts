import { setTimeout as delay } from 'node:timers/promises';
import {
  heldUntil,
  isLeaseHeld,
  leaseAfterEvent,
  leaseAfterHeadReached,
  leaseAfterLogLost,
  newLease,
  type NodeLease,
} from '@sluice/core';
import type { Lease } from '@sluice/runtime';
import type { ScopedLog } from '../logging/node-log.js';
import { LogRewrittenError, type LogFollower } from './log-follower.js';

/** How long a node may run its tasks after it last knew all of the log, in milliseconds. The leader expires it later than that. */
export const memberLeaseMs = 2500;
const probeIntervalMs = 500;

/** Keeps a runner's lease by proving, twice a second, that it knows the whole log. */
export class LeaseKeeper implements Lease {
  private lease: NodeLease;
  private readonly ended = new AbortController();
  private readonly waiters = new Set<() => void>();
  private running: Promise<void> = Promise.resolve();
  private lapsed = false;

  constructor(
    private readonly follower: LogFollower,
    self: { readonly nodeId: string; readonly incarnation: string },
    private readonly onLost: (why: string) => void,
    private readonly log: ScopedLog,
  ) {
    this.lease = newLease({ ...self, leaseMs: memberLeaseMs });
    follower.subscribe(({ accepted }) => {
      for (const { entry } of accepted) this.lease = leaseAfterEvent(this.lease, entry.event);
      if (this.lease.lost !== undefined) this.onLost(this.lease.lost);
    });
  }

  get held(): boolean {
    return isLeaseHeld(this.lease, performance.now());
  }

  /** Milliseconds that the lease still lasts; negative when it has ended. */
  get remainingMs(): number {
    return heldUntil(this.lease) - performance.now();
  }

  async whenHeld(signal: AbortSignal): Promise<void> {
    while (!this.held) {
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const granted = (): void => {
          signal.removeEventListener('abort', aborted);
          resolve();
        };
        const aborted = (): void => {
          this.waiters.delete(granted);
          reject(signal.reason as Error);
        };
        this.waiters.add(granted);
        signal.addEventListener('abort', aborted, { once: true });
      });
    }
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.ended.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const signal = this.ended.signal;
    while (!signal.aborted) {
      try {
        const { sentAt } = await this.follower.proveHead(AbortSignal.any([signal, AbortSignal.timeout(memberLeaseMs)]));
        this.lease = leaseAfterHeadReached(this.lease, sentAt);
        this.grant();
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LogRewrittenError) {
          this.lease = leaseAfterLogLost(this.lease);
          this.onLost(error.message);
          return;
        }
        this.log.debug(`The head of the log was not reached: ${(error as Error).message}`);
      }
      this.tell();
      await delay(probeIntervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private grant(): void {
    if (!this.held) return;
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const granted of waiters) granted();
  }

  private tell(): void {
    const lapsed = !this.held;
    if (lapsed === this.lapsed) return;
    this.lapsed = lapsed;
    if (lapsed) this.log.warn('No contact to the log: tasks hold still until there is');
    else this.log.info('Contact to the log: tasks may run');
  }
}
