import { describe, expect, it } from '@jest/globals';
import { LogLevels, type LogScope } from '@sluice/node';
import { LogRelay, newLineCount, noteArrival } from './log-relay.js';

const SCOPE: LogScope = { connector: 'in', task: 0 };

describe('the log of a task thread', () => {
  it('goes to the main thread, without what nobody wants to see at that moment', () => {
    const sent: string[] = [];
    const levels = new LogLevels('info');
    const relay = new LogRelay(newLineCount(), levels.mostVerbose, ({ level, scope, text }) => {
      expect(scope).toBe(SCOPE);
      sent.push(`${level} ${text}`);
    });
    const log = relay.scoped(SCOPE);
    log.debug('hidden');
    log.info('shown');
    log.error('also');
    levels.set('root', 'debug', 0);
    log.debug('wanted now');
    expect(sent).toEqual(['info shown', 'error also', 'debug wanted now']);
  });

  it('is bounded while the main thread takes nothing, and says then what is missing', () => {
    const lines = newLineCount();
    const sent: string[] = [];
    const log = new LogRelay(lines, new LogLevels('info').mostVerbose, ({ text }) => sent.push(text)).scoped(SCOPE);
    for (let line = 0; line < 1_500; line += 1) log.info(`line ${line}`);
    expect(sent).toHaveLength(900);
    noteArrival(lines);
    noteArrival(lines);
    log.info('again');
    expect(sent.slice(900)).toEqual(["600 lines of this thread's log came too fast and are left out", 'again']);
  });

  it('has places left for warnings and errors while lines below them are many', () => {
    const sent: string[] = [];
    const log = new LogRelay(newLineCount(), new LogLevels('debug').mostVerbose, ({ text }) => sent.push(text)).scoped(SCOPE);
    for (let line = 0; line < 2_000; line += 1) log.debug(`record ${line}`);
    for (let line = 0; line < 200; line += 1) log.error(`error ${line}`);
    expect(sent).toHaveLength(1_000);
    expect(sent[900]).toBe("1100 lines of this thread's log came too fast and are left out");
    expect(sent.slice(901)).toEqual(Array.from({ length: 99 }, (_, at) => `error ${at}`));
  });
});
