import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMqadmin } from '@sluice/embedded-rocketmq';

const ATTEMPTS = 3;
/** A busy machine takes its time to start a JVM. */
const TIMEOUT_MS = 150_000;

/** RocketMQ's administration tool, as the judge of what was done. */
export class Mqadmin {
  private constructor(
    private readonly namesrv: string,
    private readonly logDir: string,
  ) {}

  static async open(namesrv: string): Promise<Mqadmin> {
    return new Mqadmin(namesrv, await mkdtemp(join(tmpdir(), 'sluice-mqadmin-')));
  }

  /** What a command prints. The tool gives up after 5 s per request whatever is asked, so a busy machine is asked again. */
  async run(command: string, ...args: string[]): Promise<string> {
    let printed = '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      printed = await runMqadmin([command, '-n', this.namesrv, ...args], {
        logDir: this.logDir,
        timeoutMs: TIMEOUT_MS,
      });
      if (!printed.includes('SubCommandException')) return printed;
    }
    return printed;
  }

  async close(): Promise<void> {
    await rm(this.logDir, { recursive: true, force: true });
  }
}
