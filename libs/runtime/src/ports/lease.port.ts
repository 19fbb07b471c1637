/** Shows whether this node may write. Without contact to the control plane its tasks may already run elsewhere. */
export interface Lease {
  readonly held: boolean;
  /**
   * Generations up to this number are doubtful: other runners may have run their tasks at newer generations that the log has lost. -1 before the first
   * gap in the lease.
   */
  readonly doubtfulUpTo: number;
  /** How often generations became doubtful; grows before the lease is held again. */
  readonly gaps: number;
  /** Resolves at once when held, else when it is held again. Rejects with the signal's reason when aborted. */
  whenHeld(signal: AbortSignal): Promise<void>;
}

/** Returns whether a generation has become doubtful since the lease had `gapsBefore` gaps. */
export function isDoubtful({ doubtfulUpTo, gaps }: Pick<Lease, 'doubtfulUpTo' | 'gaps'>, generation: number, gapsBefore: number): boolean {
  return generation <= doubtfulUpTo && gapsBefore < gaps;
}
