import type { HealthIndicatorResult } from '@nestjs/terminus';

export const HEALTH_CHECKS = Symbol('health checks');

/** What a check found, to be shown; plain values only, never a secret. */
export type CheckDetail = Readonly<Record<string, string | number | boolean>>;

/** One thing that has to be right, with an answer of its own. */
export interface NodeCheck {
  /** Its key in the answer. */
  readonly name: string;
  /**
   * Returns details to show, or throws an error whose message says to an operator what is wrong and what to do. The signal is aborted when the
   * answer would come too late.
   */
  readonly check: (signal: AbortSignal) => CheckDetail | Promise<CheckDetail>;
}

export interface HealthChecks {
  /** The process is sound; nothing that a restart would not repair. */
  readonly live: readonly NodeCheck[];
  /** The node can do its work now. */
  readonly ready: readonly NodeCheck[];
}

/** How long a check may take, in milliseconds: all run at once, so this is how long an answer takes at most. */
const CHECK_LIMIT_MS = 1800;

/** Carries one check out. Never rejects and always answers in time: what fails or is too late is `down`, with the reason. */
export async function runCheck({ name, check }: NodeCheck, limitMs = CHECK_LIMIT_MS): Promise<HealthIndicatorResult> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${limitMs} ms`);
      reject(error);
      limit.abort(error);
    }, limitMs);
  });
  try {
    const detail = await Promise.race([Promise.resolve().then(() => check(limit.signal)), late]);
    return { [name]: { status: 'up', ...detail } };
  } catch (error) {
    return { [name]: { status: 'down', reason: error instanceof Error ? error.message : String(error) } };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Limits a check that costs something to once per interval, since anybody may ask as often as they like. Who asks in between gets the last
 * outcome; who asks while it runs waits for that run.
 */
export function atMostEvery(intervalMs: number, { name, check }: NodeCheck, nowMs: () => number = () => performance.now()): NodeCheck {
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
