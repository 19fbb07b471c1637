import type { Lease } from '@sluice/runtime';
import { HeadWatch, type LogFollower, type ScopedLogger } from '@sluice/node';

const PROBE_INTERVAL_MS = 500;

/** Keeps a runner's lease by proving, twice a second, that it knows the whole log. */
export class LeaseKeeper implements Lease {
  readonly #waiters = new Set<() => void>();
  readonly #watch: HeadWatch;
  /** Whether the last line in the log says that the lease has ended; undefined before the first contact. */
  #lapsed: boolean | undefined;
  #isLeaving = false;
  readonly #unlisten: () => void;

  constructor(
    private readonly follower: LogFollower,
    /** Called once when the log has put this incarnation out of the cluster. */
    onLost: (why: string) => void,
    private readonly logger: ScopedLogger,
    /** Called whenever the lease may have changed. */
    private readonly onChange: (lease: LeaseKeeper) => void = () => undefined,
  ) {
    this.#unlisten = follower.subscribe(() => {
      this.onChange(this);
    });
    const unsubscribe = follower.subscribe(({ lease }) => {
      if (lease.lost === undefined) return;
      unsubscribe();
      // The leader lets a leaving node go once its tasks are gone.
      if (this.#isLeaving) return;
      onLost(lease.lost === 'left' ? 'the cluster expired or released this node' : 'the leader rejected this node');
    });
    this.#watch = new HeadWatch(
      follower,
      {
        intervalMs: PROBE_INTERVAL_MS,
        onReached: () => {
          this.#grant();
        },
        onAttempt: () => {
          this.#logLapse();
        },
      },
      logger,
    );
  }

  get held(): boolean {
    return this.follower.holdsLease;
  }

  get doubtfulUpTo(): number {
    return this.follower.doubt.doubtfulUpTo;
  }

  get gaps(): number {
    return this.follower.doubt.gaps;
  }

  /** Milliseconds that the lease still lasts; negative when it has ended. */
  get remainingMs(): number {
    return this.follower.leaseRemainingMs;
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
          this.#waiters.delete(granted);
          reject(signal.reason as Error);
        };
        this.#waiters.add(granted);
        signal.addEventListener('abort', aborted, { once: true });
      });
    }
  }

  start(): void {
    this.#watch.start();
  }

  /** Notes that the node stops: from now on the loss of the lease is neither logged nor a failure. */
  leave(): void {
    this.#isLeaving = true;
  }

  stop(): Promise<void> {
    this.#unlisten();
    return this.#watch.stop();
  }

  #grant(): void {
    this.onChange(this);
    if (!this.held) return;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const granted of waiters) granted();
  }

  #logLapse(): void {
    const lapsed = !this.held;
    if (lapsed === (this.#lapsed ?? true) || this.#isLeaving) return;
    const isFirst = this.#lapsed === undefined;
    this.#lapsed = lapsed;
    if (lapsed) this.logger.warn('No contact to the log: tasks pause until there is');
    else if (isFirst) this.logger.debug('Contact to the log: tasks may run');
    else this.logger.info('Contact to the log again: tasks may run');
  }
}
