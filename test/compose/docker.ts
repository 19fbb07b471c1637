import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { repositoryRoot } from '../support/sluice-cluster.js';

export interface CommandOptions {
  readonly timeoutMs?: number;
  /** Ends the command. */
  readonly signal?: AbortSignal;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** What the command reads. */
  readonly input?: string;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const SHOWN_ERROR_CHARS = 6000;

/**
 * Runs a program in the repository's folder to its end.
 *
 * @returns what it wrote to its standard output.
 * @throws Error with the end of what it wrote to its error output, if it fails or does not end in time.
 */
export function runCommand(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, environment, input } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      args,
      {
        cwd: repositoryRoot,
        maxBuffer: MAX_OUTPUT_BYTES,
        timeout: timeoutMs,
        ...(signal === undefined ? {} : { signal }),
        ...(environment === undefined ? {} : { env: environment }),
      },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(stdout);
          return;
        }
        const how = error.killed === true ? `did not end within ${timeoutMs} ms` : `ended with ${String(error.code)}`;
        const command = `${program} ${args.join(' ')}`.slice(0, 300);
        reject(new Error(`${command} ${how}\n${stderr.slice(-SHOWN_ERROR_CHARS)}`));
      },
    );
    if (input !== undefined) child.stdin?.end(input);
  });
}

export const docker = (args: readonly string[], options?: CommandOptions): Promise<string> => runCommand('docker', args, options);

/** A program inside a container that reads from this process until its input ends. */
export function dockerExecReading(container: string, command: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
  return spawn('docker', ['exec', '-i', container, ...command], {
    cwd: repositoryRoot,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}
