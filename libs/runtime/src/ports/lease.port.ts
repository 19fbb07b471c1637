/** Whether this node may write. Without contact to the control plane its tasks may already run elsewhere. */
export interface Lease {
  readonly held: boolean;
  /** Resolves at once when held, else when it is held again. Rejects with the signal's reason when aborted. */
  whenHeld(signal: AbortSignal): Promise<void>;
}
