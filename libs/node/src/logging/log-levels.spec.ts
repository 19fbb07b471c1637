import { describe, expect, it } from '@jest/globals';
import { isWanted, LogLevels } from './log-levels.js';

/** The levels of loggers, as `name level`. */
const shown = (levels: LogLevels): readonly string[] => [...levels.all()].map(([name, { level }]) => `${name} ${level}`);

function levelsOf(...names: readonly string[]): LogLevels {
  const levels = new LogLevels('info');
  for (const name of names) levels.list(name);
  return levels;
}

describe('levels of loggers', () => {
  it('are those of the logger above until they are set', () => {
    const levels = levelsOf('tasks', 'connector.a', 'connector.b');
    expect(levels.set('connector', 'debug', 7)).toEqual(['connector', 'connector.a', 'connector.b']);
    expect(levels.set('connector.b', 'error', 8)).toEqual(['connector.b']);
    expect(shown(levels)).toEqual(['connector debug', 'connector.a debug', 'connector.b error', 'root info', 'tasks info']);
    expect(levels.of('connector.a')).toEqual({ level: 'debug', modifiedAt: 7 });
    expect(levels.of('tasks').modifiedAt).toBeUndefined();
    levels.list('connector.later');
    expect(levels.allows('connector.later', 'debug')).toBe(true);
  });

  it('are set with those below, also where these had levels of their own', () => {
    const levels = levelsOf('tasks', 'connector.a');
    levels.set('connector.a', 'debug', 1);
    expect(levels.set('root', 'warn', 2)).toEqual(['connector', 'connector.a', 'root', 'tasks']);
    expect(new Set([...levels.all().values()].map(({ level }) => level))).toEqual(new Set(['warn']));
  });

  it('do not mix up connectors of which one name begins with the other', () => {
    const levels = levelsOf('connector.a', 'connector.a.b', 'connector.ab');
    levels.set('connector.ab', 'warn', 1);
    levels.set('connector.a.b', 'error', 1);
    expect(levels.set('connector.a', 'debug', 2)).toEqual(['connector.a']);
    expect(shown(levels)).toEqual(expect.arrayContaining(['connector.a debug', 'connector.a.b error', 'connector.ab warn']));
  });

  it('are not set for a logger that is not there', () => {
    const levels = levelsOf('tasks');
    expect(levels.set('task', 'debug', 1)).toEqual([]);
    expect(isWanted(levels.mostVerbose, 'debug')).toBe(false);
  });

  it('let other threads know what somebody wants to see', () => {
    const levels = levelsOf('connector.a');
    const wanted = (): readonly boolean[] =>
      (['error', 'warn', 'info', 'debug'] as const).map((each) => isWanted(levels.mostVerbose, each));
    expect(wanted()).toEqual([true, true, true, false]);
    levels.set('connector.a', 'debug', 1);
    expect(wanted()).toEqual([true, true, true, true]);
    levels.set('root', 'error', 2);
    expect(wanted()).toEqual([true, false, false, false]);
    levels.start('warn');
    expect(wanted()).toEqual([true, true, false, false]);
  });

  it('are listed for ten thousand loggers at most, and obeyed by all', () => {
    const levels = levelsOf(...Array.from({ length: 10_100 }, (_, at) => `connector.c${at}`));
    expect(levels.all().size).toBe(10_000);
    levels.set('connector', 'debug', 1);
    expect(levels.allows('connector.c10099', 'debug')).toBe(true);
  });

  it('are kept for a connector whose task comes later, and shown', () => {
    const levels = levelsOf('connector.other');
    expect(levels.set('connector.orders', 'debug', 1)).toEqual(['connector.orders']);
    expect(shown(levels)).toContain('connector.orders debug');
    levels.list('connector.orders');
    expect(levels.allows('connector.orders', 'debug')).toBe(true);
    expect(levels.set('connector', 'warn', 2)).toEqual(['connector', 'connector.orders', 'connector.other']);
  });

  it('are kept for a thousand connectors that are not listed, also after ten thousand that are', () => {
    const levels = levelsOf(...Array.from({ length: 10_000 }, (_, at) => `connector.c${at}`));
    for (let at = 0; at < 1_000; at += 1) expect(levels.set(`connector.new${at}`, 'debug', 1)).toHaveLength(1);
    expect(levels.set('connector.more', 'debug', 1)).toEqual([]);
    expect(levels.set('connector.new7', 'warn', 2)).toEqual(['connector.new7']);
    expect(levels.set('connector.c5', 'debug', 1)).toEqual(['connector.c5']);
  });

  it.each(['connector.', 'connector.a/b', 'connector.a\n', `connector.${'x'.repeat(1_001)}`])('are not set for %j', (name) => {
    expect(levelsOf().set(name, 'debug', 1)).toEqual([]);
  });
});
