import { describe, expect, it } from '@jest/globals';
import { LogRelay, newLineCount, noteArrival } from './log-relay.js';

describe('the log of a task thread', () => {
  it('goes to the main thread, without what nobody wants to see', () => {
    const sent: string[] = [];
    const log = new LogRelay(newLineCount(), 'info', ({ level, scope, text }) => sent.push(`${level} ${scope} ${text}`)).scoped('in-0');
    log.debug('hidden');
    log.info('shown');
    log.error('also');
    expect(sent).toEqual(['info in-0 shown', 'error in-0 also']);
  });

  it('is bounded while the main thread takes nothing, and says then what is missing', () => {
    const lines = newLineCount();
    const sent: string[] = [];
    const log = new LogRelay(lines, 'info', ({ text }) => sent.push(text)).scoped('in-0');
    for (let line = 0; line < 1_500; line += 1) log.info(`line ${line}`);
    expect(sent).toHaveLength(1_000);
    noteArrival(lines);
    noteArrival(lines);
    log.info('again');
    expect(sent.slice(1_000)).toEqual(["500 lines of this thread's log came too fast and are left out", 'again']);
  });
});
