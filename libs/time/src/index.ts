export { backoffMs, type BackoffLimits } from './backoff.js';
export { onAbort } from './on-abort.js';
export { pause } from './pause.js';
export { RateLimitedLogger, type RateLimitedLoggerOptions } from './rate-limited-logger.js';
export { retry, type RetryOptions } from './retry.js';
export { untilAborted } from './until-aborted.js';
export { untilCalled } from './until-called.js';
export { withLimit } from './with-limit.js';
export { MAX_TIMER_MS, withinTime } from './within-time.js';
