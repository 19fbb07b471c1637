import type { InstanceReport } from '@sluice/core';
import type { TaskCounters } from '../ports/task-counters.port.js';
import type { LoopEnd } from '../task/loop-end.js';
import type { InstanceKeeper } from './instance-keeper.js';
import type { TaskLoop } from './task-loop.js';

/**
 * The loop of a connector's first task, and the connector's instance beside it. Both have one generation and one lease: the loop has
 * ended only when the instance has stopped.
 */
export class LoopWithInstance implements TaskLoop {
  readonly ended: Promise<LoopEnd>;
  readonly failed: Promise<unknown>;
  #pauses = 0;

  constructor(
    private readonly loop: TaskLoop,
    private readonly keeper: InstanceKeeper,
  ) {
    this.failed = new Promise((resolve) => {
      void loop.ended.then((end) => {
        if (end.kind === 'failed') resolve(end.error);
      });
    });
    this.ended = loop.ended.then(async (end) => {
      await keeper.end();
      return end;
    });
  }

  get outdated(): Promise<void> {
    return this.keeper.outdated;
  }

  get counters(): TaskCounters {
    return this.loop.counters;
  }

  get warnings(): TaskLoop['warnings'] {
    return this.loop.warnings;
  }

  get waits(): TaskLoop['waits'] {
    return this.loop.waits;
  }

  get instance(): InstanceReport | undefined {
    return this.keeper.report;
  }

  /** Begins both; resolves when the task is started. A start that fails is over when the instance has stopped: it may be followed by another. */
  async start(onCompleted?: () => void): Promise<void> {
    this.keeper.begin();
    try {
      await this.loop.start(onCompleted);
    } catch (error) {
      await this.keeper.end();
      throw error;
    }
  }

  async stop(): Promise<LoopEnd> {
    void this.keeper.end();
    await this.loop.stop();
    return this.ended;
  }

  kill(): void {
    this.loop.kill();
    void this.keeper.end();
  }

  pause(onStill: () => void): void {
    this.#pauses += 1;
    const pause = this.#pauses;
    const loopIsStill = new Promise<void>((resolve) => {
      this.loop.pause(resolve);
    });
    void Promise.all([loopIsStill, this.keeper.pause()]).then(() => {
      if (pause === this.#pauses) onStill();
    });
  }

  resume(): void {
    this.#pauses += 1;
    this.loop.resume();
    this.keeper.resume();
  }
}
