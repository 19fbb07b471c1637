/** Whether this node may write. Without contact to the control plane its tasks may already run elsewhere. */
export interface Lease {
  readonly held: boolean;
  /**
   * Another runner may have had a task of this node at a newer generation, unseen, where the generation of the task is not above this number; -1 while
   * there was no gap in the lease.
   */
  readonly doubtfulUpTo: number;
  /** How often there was a gap: grows before the lease is held again. */
  readonly gaps: number;
  /** Resolves at once when held, else when it is held again. Rejects with the signal's reason when aborted. */
  whenHeld(signal: AbortSignal): Promise<void>;
}
