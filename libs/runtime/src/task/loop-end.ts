/** Part of the shutdown timeout that may pass before a task gives up what is still on its way. The rest is for its last writes and its end. */
export const DRAIN_SHARE = 0.6;

/**
 * How a loop ended. `clean`: everything that was taken is written and covered by stored positions, and nothing of the loop is still
 * on its way.
 */
export type LoopEnd =
  { readonly kind: 'stopped'; readonly clean: boolean } | { readonly kind: 'failed'; readonly error: unknown; readonly clean: boolean };
