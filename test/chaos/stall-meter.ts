import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repositoryRoot } from '../support/sluice-cluster.js';
import type { Interval } from './observations.js';

/** Measures when the machine let a process wait that only asks for CPU. */
export class StallMeter {
  readonly #stalls: Interval[] = [];

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (stall) => this.#stalls.push(stall as Interval));
  }

  /** Needs the built control process. */
  static start(): StallMeter {
    const script = join(repositoryRoot, 'test/dist/chaos/stall-process.js');
    return new StallMeter(fork(script, [], { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' } }));
  }

  get stalls(): readonly Interval[] {
    return this.#stalls;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
