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
});
