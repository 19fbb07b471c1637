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
import { HeadWatch } from './head-watch.js';
import type { LogFollower } from './log-follower.js';

/** How long a node may run its tasks after it last knew all of the log, in milliseconds. The leader expires it later than that. */
export const memberLeaseMs = 2500;
const probeIntervalMs = 500;

/** Keeps a runner's lease by proving, twice a second, that it knows the whole log. */
export class LeaseKeeper implements Lease {
  private lease: NodeLease;
  private readonly waiters = new Set<() => void>();
  private readonly watch: HeadWatch;
  private lapsed = false;

  constructor(
    follower: LogFollower,
    self: { readonly nodeId: string; readonly incarnation: string },
    private readonly onLost: (why: string) => void,
    private readonly log: ScopedLog,
  ) {
    this.lease = newLease({ ...self, leaseMs: memberLeaseMs });
    follower.subscribe(({ accepted }) => {
      if (this.lease.lost !== undefined) return;
      for (const { entry } of accepted) this.lease = leaseAfterEvent(this.lease, entry.event);
      this.tellLoss(`the log says that this node has ${this.lease.lost ?? ''}`);
    });
    this.watch = new HeadWatch(
      follower,
      {
        intervalMs: probeIntervalMs,
        onReached: (sentAt) => {
          this.lease = leaseAfterHeadReached(this.lease, sentAt);
          this.grant();
        },
        onAttempt: () => {
          this.tellLapse();
        },
        onRewritten: (error) => {
          this.lease = leaseAfterLogLost(this.lease);
          this.tellLoss(error.message);
        },
      },
      log,
    );
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
    this.watch.start();
  }

  stop(): Promise<void> {
    return this.watch.stop();
  }

  private grant(): void {
    if (!this.held) return;
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const granted of waiters) granted();
  }

  private tellLoss(why: string): void {
    if (this.lease.lost !== undefined) this.onLost(why);
  }

  private tellLapse(): void {
    const lapsed = !this.held;
    if (lapsed === this.lapsed) return;
    this.lapsed = lapsed;
    if (lapsed) this.log.warn('No contact to the log: tasks hold still until there is');
    else this.log.info('Contact to the log: tasks may run');
  }
}
