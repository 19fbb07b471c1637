import { describe, expect, it } from '@jest/globals';
import { type LogScope, ProcessLogger } from './process-logger.js';

/** A logger whose lines are kept. */
class KeptLines {
  readonly lines: string[] = [];
  readonly logger = new ProcessLogger('info', (line, level) => void this.lines.push(level === 'error' ? `stderr ${line}` : line));

  get text(): string {
    return this.lines.join('');
  }
}

describe('a line of the log', () => {
  it('shows control characters as text, so no record can write to the terminal', () => {
    const kept = new KeptLines();
    kept.logger.scoped('task').info('line "a\u0000b\u001b[31mred\u001b[0m\rgone\tx\u007f\u009b1m\u2028end"');
    expect(kept.text).toMatch(/INFO {2}\[task\] line "a\\u0000b\\u001b\[31mred\\u001b\[0m\\rgone\\tx\\u007f\\u009b1m\\u2028end"\n$/);
  });

  it('is followed only by indented lines, so no record can forge another one', () => {
    const kept = new KeptLines();
    kept.logger.scoped('task').info('failed: a\n00:00:00.000 ERROR [task] forged\r\n    at x\n');
    expect(kept.text.trimEnd().split('\n').slice(1)).toEqual(['  00:00:00.000 ERROR [task] forged', '    at x']);
  });

  it.each<[LogScope, string]>([
    ['tasks', '[tasks] x'],
    [{ connector: 'in', task: 2 }, '[in-2] x'],
    [{ connector: 'in' }, '[in] x'],
  ])('names its scope %j', (scope, expected) => {
    const kept = new KeptLines();
    kept.logger.scoped(scope).warn('x');
    expect(kept.text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}/);
    expect(kept.text.trimEnd().endsWith(expected)).toBe(true);
  });

  it('is an object of JSON with log.format=json, with connector and task where they are known', () => {
    const kept = new KeptLines();
    kept.logger.configure('debug', 'json');
    kept.logger.scoped({ connector: 'in', task: 0 }).debug('two\nlines "x"\n');
    kept.logger.scoped('tasks').error('bad');
    const [task, other = ''] = kept.lines;
    expect(task).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(task ?? '')).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      level: 'DEBUG',
      logger: 'connector.in',
      connector: 'in',
      task: 0,
      message: 'two\nlines "x"',
    });
    expect(JSON.parse(other.replace('stderr ', ''))).toEqual({ time: expect.any(String), level: 'ERROR', logger: 'tasks', message: 'bad' });
  });

  it('holds no control characters in JSON either', () => {
    const kept = new KeptLines();
    kept.logger.configure('info', 'json');
    kept.logger.scoped('tasks').info('a\u007fb\u009b31mred\u0085\u2028c');
    expect(kept.text).toContain('"a\\u007fb\\u009b31mred\\u0085\\u2028c"');
    expect(JSON.parse(kept.text)).toMatchObject({ message: 'a\u007fb\u009b31mred\u0085\u2028c' });
  });

  it('is written only where the level of its logger allows it, at that moment', () => {
    const { logger, lines } = new KeptLines();
    const [one, two] = ['one', 'two'].map((connector) => logger.scoped({ connector, task: 0 }));
    one?.debug('1');
    logger.levels.set('connector.one', 'debug', 0);
    one?.debug('2');
    two?.debug('3');
    logger.levels.set('root', 'error', 0);
    one?.warn('4');
    two?.error('5');
    expect(lines.map((line) => line.trim().at(-1))).toEqual(['2', '5']);
  });

  it('of the framework is written for warnings and errors alone', () => {
    const { logger, lines } = new KeptLines();
    const framework = logger.forFramework();
    framework.log('routes');
    framework.warn('odd');
    framework.error('bad', 'Error: bad\n    at x', 'Router');
    expect(lines.map((line) => line.replace(/^.*\[/, '['))).toEqual(['[framework] odd\n', '[framework] bad\n  Error: bad\n    at x\n']);
  });
});
