export const HEALTH_CHECKS = Symbol('health checks');

/** What a check found, to be shown; plain values only, never a secret. */
export type CheckDetail = Readonly<Record<string, string | number | boolean>>;

/** One thing that has to be right, with an answer of its own. */
export interface NodeCheck {
  /** Its key in the answer. */
  readonly name: string;
  /**
   * Returns details to show, or throws an error whose message tells an operator what is wrong and what to do. The signal is aborted when the
   * answer would come too late.
   */
  readonly check: (signal: AbortSignal) => CheckDetail | Promise<CheckDetail>;
}

export interface HealthChecks {
  /** The process is sound; nothing that a restart would not mend. */
  readonly live: readonly NodeCheck[];
  /** The node can do its work now. */
  readonly ready: readonly NodeCheck[];
}
