import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JavaLoop } from '../../support/java-loop.js';

const ATTEMPTS = 3;
const MAIN_CLASS = 'org.apache.rocketmq.tools.command.MQAdminStartup';

/** RocketMQ's administration tool, as the judge of what was done. */
export class Mqadmin {
  private constructor(
    private readonly namesrv: string,
    private readonly logDir: string,
    private readonly java: JavaLoop,
  ) {}

  static async open(namesrv: string): Promise<Mqadmin> {
    const logDir = await mkdtemp(join(tmpdir(), 'sluice-mqadmin-'));
    return new Mqadmin(namesrv, logDir, new JavaLoop(logDir));
  }

  /** What a command prints. The tool gives up after 5 s per request whatever is asked, so a busy machine is asked again. */
  async run(command: string, ...args: string[]): Promise<string> {
    let printed = '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      printed = await this.java.run(MAIN_CLASS, [command, '-n', this.namesrv, ...args]);
      if (!printed.includes('SubCommandException')) return printed;
    }
    return printed;
  }

  async close(): Promise<void> {
    await this.java.close();
    await rm(this.logDir, { recursive: true, force: true });
  }
}
