import type { CheckDetail, NodeCheck } from './health-check.js';

/**
 * The same check, carried out at most once per interval: whoever asks in between is given the last outcome, and all who ask meanwhile wait for
 * the one that runs. For checks that cost something, since anybody may ask as often as they like.
 */
export function atMostEvery(
  intervalMs: number,
  { name, check }: NodeCheck,
  nowMs: () => number = () => performance.now(),
): NodeCheck {
  let outcome: Promise<CheckDetail> | undefined;
  let isRunning = false;
  let validUntilMs = 0;
  return {
    name,
    check: (signal) => {
      if (outcome !== undefined && (isRunning || nowMs() < validUntilMs)) return outcome;
      isRunning = true;
      outcome = Promise.resolve()
        .then(() => check(signal))
        .finally(() => {
          isRunning = false;
          validUntilMs = nowMs() + intervalMs;
        });
      return outcome;
    },
  };
}
