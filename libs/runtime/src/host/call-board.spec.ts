import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkTask, SourceTask } from '@sluice/sdk';
import { FigureSum, TaskFigures } from '../task/task-figures.js';
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

  it('are timed where they are made once per batch, however they end', async () => {
    const figures = new TaskFigures();
    const calls = ['poll', 'put', 'flush'] as const;
    const pause = (): Promise<never> => new Promise<void>((resolve) => setTimeout(resolve, 7)) as Promise<never>;
    const source: SourceTask = { start: pause, poll: pause, commit: pause, stop: pause };
    const refuse = (): Promise<never> => pause().then(() => Promise.reject(new Error('full')));
    const fail = (): never => {
      throw new Error('broken');
    };
    const sink: SinkTask = { start: pause, open: pause, put: refuse, flush: fail, close: pause, stop: pause };
    const [from, to] = [watchedSource(source, new CallBoard(), figures), watchedSink(sink, new CallBoard(), figures)];
    const { signal } = new AbortController();
    await from.start(undefined as never);
    await from.poll(signal);
    await from.commit?.([]);
    await expect(to.put([], signal)).rejects.toThrow('full');
    expect(() => to.flush([], signal, { everything: true })).toThrow('broken');
    const sum = new FigureSum();
    figures.addTo(sum);
    const counts = calls.map((call) => sum.timesOf(call).counts.reduce((all, each) => all + each, 0));
    expect(counts).toEqual([1, 1, 1]);
    expect(sum.timesOf('poll').sum).toBeGreaterThan(0.005);
    expect(sum.timesOf('put').sum).toBeGreaterThan(0.005);
    expect(sum.timesOf('commit').counts.every((count) => count === 0)).toBe(true);
  });

  it('are those that the task has', () => {
    const none = (): Promise<never> => new Promise(() => undefined);
    const source: SourceTask = { start: none, poll: none, stop: none };
    const sink: SinkTask = { start: none, open: none, put: none, flush: none, close: none, stop: none };
    const board = new CallBoard();
    const figures = new TaskFigures();
    expect(Object.keys(watchedSource(source, board, figures)).sort()).toEqual(Object.keys(source).sort());
    expect(Object.keys(watchedSource({ ...source, commit: none, commitRecord: none }, board, figures))).toContain('commitRecord');
    expect(Object.keys(watchedSink(sink, board, figures)).sort()).toEqual(Object.keys(sink).sort());
    const watched = watchedSink({ ...sink, tick: none }, board, figures);
    void watched.tick?.(new AbortController().signal);
    expect(board.ongoing).toMatchObject({ call: 'tick', isRunning: false });
  });
});
