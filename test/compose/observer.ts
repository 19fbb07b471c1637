import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from '../support/sluice-cluster.js';
import { docker, dockerExecReading } from './docker.js';
import { LineWriter } from './line-writer.js';

const readyScript = join(repositoryRoot, 'test/compose/until-ready.mjs');
const READY_SECONDS = 120;
/** Any image of the stack has what is needed: a shell and Node. */
const IMAGE = 'sluice-cli';

/** A container beside those of a stack that sees the data volume and the network, and that nothing happens to. */
export class Observer {
  private constructor(
    private readonly name: string,
    private readonly signal: AbortSignal,
  ) {}

  static async start(project: string, signal: AbortSignal): Promise<Observer> {
    const name = `${project}-observer`;
    const places = ['--network', `${project}_default`, '--volume', `${project}_data:/data`];
    await docker(['run', '--detach', '--name', name, '--no-healthcheck', ...places, '--entrypoint', 'sleep', IMAGE, 'infinity'], {
      signal,
    });
    return new Observer(name, signal);
  }

  /** Works also after the signal, and where nothing was started. */
  static async remove(project: string): Promise<void> {
    await docker(['rm', '--force', `${project}-observer`]);
  }

  /** A file of the data volume; empty where there is none. */
  read(file: string): Promise<string> {
    return this.#shell(`if [ -e "/data/${file}" ]; then cat "/data/${file}"; fi`);
  }

  async write(file: string, content: string): Promise<void> {
    await this.#shell(`cat > "/data/${file}"`, content);
  }

  /** Milliseconds since the epoch at which the role on a host first says that it is ready. */
  async untilReady(host: string): Promise<number> {
    const script = await readFile(readyScript, 'utf8');
    const command = ['node', '--input-type=module', '--eval', script, String(READY_SECONDS), host];
    const printed = await docker(['exec', this.name, ...command], {
      signal: this.signal,
      timeoutMs: (READY_SECONDS + 30) * 1000,
    });
    return Number(printed);
  }

  /** Appends numbered lines to files of the data volume, in turn and at a steady rate, until it is stopped. */
  appendLines(files: readonly string[], linesPerSecond: number): LineWriter {
    const script = 'while read -r number file; do echo "$file $number" >> "/data/$file"; done';
    return new LineWriter(dockerExecReading(this.name, ['sh', '-c', script]), files, linesPerSecond);
  }

  #shell(script: string, input?: string): Promise<string> {
    return docker(['exec', '-i', this.name, 'sh', '-c', script], {
      signal: this.signal,
      input: input ?? '',
    });
  }
}
