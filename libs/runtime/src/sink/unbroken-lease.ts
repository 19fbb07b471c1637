import { SupersededError } from '../task/superseded-error.js';
import { isDoubtful, type Lease } from '../ports/lease.port.js';

/**
 * Holds the lease for one run of a sink task, until its first gap. After a gap, a successor that the control plane's log has lost may have stored and
 * committed more than this run knows. The next run asks the sink and the group for their offsets.
 */
export class UnbrokenLease implements Lease {
  readonly #gapsBefore: number;

  constructor(
    private readonly lease: Lease,
    private readonly generation: number,
  ) {
    this.#gapsBefore = lease.gaps;
  }

  get held(): boolean {
    return this.lease.held && !this.#isBroken();
  }

  get doubtfulUpTo(): number {
    return this.lease.doubtfulUpTo;
  }

  get gaps(): number {
    return this.lease.gaps;
  }

  /** @throws SupersededError after a gap */
  async whenHeld(signal: AbortSignal): Promise<void> {
    if (!this.lease.held) await this.lease.whenHeld(signal);
    if (this.#isBroken()) throw SupersededError.ofSink();
  }

  #isBroken(): boolean {
    return isDoubtful(this.lease, this.generation, this.#gapsBefore);
  }
}
