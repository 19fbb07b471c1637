import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RateLimitedLogger } from './rate-limited-logger.js';

function loggerOf(): { lines: string[]; logger: RateLimitedLogger; end: AbortController } {
  const lines: string[] = [];
  const end = new AbortController();
  const log = (line: string): void => void lines.push(line);
  return { lines, end, logger: new RateLimitedLogger({ log, signal: end.signal }) };
}

describe('a logger of at most one message a second', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it('reports a second after a burst how many it has held back', async () => {
    const { lines, logger } = loggerOf();
    for (let at = 1; at <= 50; at += 1) logger.write(`record ${at}`);
    expect(lines).toEqual(['record 1']);
    await jest.advanceTimersByTimeAsync(999);
    expect(lines).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(lines).toEqual(['record 1', 'record 50 (and 48 more before it)']);
    await jest.advanceTimersByTimeAsync(10_000);
    logger.write('record 51');
    expect(lines.slice(2)).toEqual(['record 51']);
  });

  it('passes on a single message that was held back as it is', async () => {
    const { lines, logger } = loggerOf();
    logger.write('a');
    logger.write('b');
    await jest.advanceTimersByTimeAsync(1000);
    expect(lines).toEqual(['a', 'b']);
  });

  it('reports what it has held back when its signal aborts', async () => {
    const { lines, logger, end } = loggerOf();
    for (const each of ['a', 'b', 'c']) logger.write(each);
    end.abort(new Error('the task has ended'));
    await jest.advanceTimersByTimeAsync(0);
    expect(lines).toEqual(['a', 'c (and 1 more before it)']);
    logger.write('d');
    await jest.advanceTimersByTimeAsync(0);
    expect(lines.at(-1)).toBe('d');
  });
});
