import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { NodeCheck } from './health-check.js';

/** How long a check may take, in milliseconds: all run at once, so this is how long an answer takes at most. */
export const checkLimitMs = 1800;

/** Carries one check out. Never rejects and always answers in time: what fails or is too late is `down`, with the reason. */
export async function runCheck({ name, check }: NodeCheck, limitMs = checkLimitMs): Promise<HealthIndicatorResult> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${String(limitMs)} ms`);
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
