import { describe, expect, it } from '@jest/globals';
import { RateLimitedLogger } from './rate-limited-logger.js';
import { ManualClock } from '../testing/manual-clock.js';

function logOf(): { lines: string[]; clock: ManualClock; log: RateLimitedLogger; end: AbortController } {
  const lines: string[] = [];
  const clock = new ManualClock();
  const end = new AbortController();
  return { lines, clock, end, log: new RateLimitedLogger(clock, (line) => lines.push(line), end.signal) };
}

describe('a log of at most one message a second', () => {
  it('reports a second after a burst how many it has held back', async () => {
    const { lines, clock, log } = logOf();
    for (let at = 1; at <= 50; at += 1) log.write(`record ${String(at)}`);
    expect(lines).toEqual(['record 1']);
    await clock.advance(999);
    expect(lines).toHaveLength(1);
    await clock.advance(1);
    expect(lines).toEqual(['record 1', 'record 50 (and 48 more before it)']);
    await clock.advance(10_000);
    log.write('record 51');
    expect(lines.slice(2)).toEqual(['record 51']);
  });

  it('passes on a single message that was held back as it is', async () => {
    const { lines, clock, log } = logOf();
    log.write('a');
    log.write('b');
    await clock.advance(1000);
    expect(lines).toEqual(['a', 'b']);
  });

  it('reports what it has held back when the task ends', async () => {
    const { lines, clock, log, end } = logOf();
    for (const each of ['a', 'b', 'c']) log.write(each);
    end.abort(new Error('the task has ended'));
    await clock.settle();
    expect(lines).toEqual(['a', 'c (and 1 more before it)']);
    log.write('d');
    await clock.settle();
    expect(lines.at(-1)).toBe('d');
  });
});
