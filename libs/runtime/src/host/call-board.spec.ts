import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkTask, SourceTask } from '@sluice/sdk';
import { CallBoard, sharedNowMs } from './call-board.js';
import { watchedSink, watchedSource } from './watched-task.js';

describe('the calls of a task', () => {
  it('are shown while they work and while they wait, to other threads too', async () => {
    const board = new CallBoard();
    const elsewhere = new CallBoard(board.memory);
    expect(elsewhere.ongoing).toBeUndefined();
    const before = sharedNowMs();
    let finish: (value: number) => void = () => undefined;
    const call = board.run('poll', () => {
      expect(elsewhere.ongoing).toMatchObject({ call: 'poll', isRunning: true });
      return new Promise<number>((resolve) => {
        finish = resolve;
      });
    });
    expect(elsewhere.ongoing).toMatchObject({ call: 'poll', isRunning: false });
    expect(elsewhere.ongoing?.sinceMs).toBeGreaterThanOrEqual(before);
    finish(5);
    expect(await call).toBe(5);
    expect(elsewhere.ongoing).toBeUndefined();
  });

  it('are over when they throw, reject, or return at once', async () => {
    const board = new CallBoard();
    const broken = (): never => {
      throw new Error('broken');
    };
    expect(() => board.run('put', broken)).toThrow('broken');
    expect(board.ongoing).toBeUndefined();
    await expect(board.run('put', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(board.ongoing).toBeUndefined();
    expect(board.run('commitRecord', () => 5)).toBe(5);
    expect(board.ongoing).toBeUndefined();
  });

  it('are shown oldest first, and before those that wait the one that works', async () => {
    const board = new CallBoard();
    const elsewhere = new CallBoard(board.memory);
    let giveUp: () => void = () => undefined;
    const hung = board.run('poll', () => new Promise<void>((resolve) => (giveUp = resolve)));
    const { sinceMs } = elsewhere.ongoing!;
    // The clock has to move on, so that the two starts differ.
    while (sharedNowMs() === sinceMs) await sleep(1);
    await board.run('commit', () => Promise.resolve());
    expect(elsewhere.ongoing).toEqual({ call: 'poll', sinceMs, isRunning: false });
    board.run('commitRecord', () => {
      expect(elsewhere.ongoing).toMatchObject({ call: 'commitRecord', isRunning: true });
    });
    expect(elsewhere.ongoing).toEqual({ call: 'poll', sinceMs, isRunning: false });
    void board.run('stop', () => new Promise(() => undefined));
    expect(elsewhere.ongoing).toMatchObject({ call: 'poll' });
    giveUp();
    await hung;
    expect(elsewhere.ongoing).toMatchObject({ call: 'stop', isRunning: false });
    expect(elsewhere.ongoing?.sinceMs).toBeGreaterThan(sinceMs);
  });

  it('are those that the task has', () => {
    const none = (): Promise<never> => new Promise(() => undefined);
    const source: SourceTask = { start: none, poll: none, stop: none };
    const sink: SinkTask = { start: none, open: none, put: none, flush: none, close: none, stop: none };
    const board = new CallBoard();
    expect(Object.keys(watchedSource(source, board)).sort()).toEqual(Object.keys(source).sort());
    expect(Object.keys(watchedSource({ ...source, commit: none, commitRecord: none }, board))).toContain('commitRecord');
    expect(Object.keys(watchedSink(sink, board)).sort()).toEqual(Object.keys(sink).sort());
    const watched = watchedSink({ ...sink, tick: none }, board);
    void watched.tick?.(new AbortController().signal);
    expect(board.ongoing).toMatchObject({ call: 'tick', isRunning: false });
  });
});
