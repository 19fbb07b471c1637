/** A fault put into the shipped source of `libs/core`: one rule of the control plane does not hold any more. */
export interface Mutant {
  /** The rule that it breaks, and how. */
  readonly rule: string;
  /** Path below `libs/core/src`. */
  readonly file: string;
  /** Exact text of the source; it stands there once. */
  readonly from: string;
  readonly to: string;
  /**
   * Specs below `libs/core/src` that must fail, for rules that the simulation cannot see: second lines of defence, and what its
   * fleet does not have. Without any, a seed of the simulation must fail.
   */
  readonly specs?: readonly string[];
  /** Seed that found it last. It is tried before all others, which saves the runs up to it; where it finds nothing any more, they follow. */
  readonly seed?: number;
}
