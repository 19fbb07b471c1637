import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { findExecutable } from './find-executable.js';

const PROGRESS_EVERY_MS = 2_000;
const KEPT_LINES = 40;

export interface CopyDependencies {
  readonly pom: string;
  /** `rocketmq.version` of the pom. */
  readonly version: string;
  readonly profiles: readonly string[];
  readonly outputDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((line: string) => void) | undefined;
}

/**
 * `mvn dependency:copy-dependencies` of a pom's run time dependencies into `outputDir`.
 * Throws EmbeddedRocketmqError `MAVEN_MISSING`, or `JARS_NOT_FETCHED` with Maven's error lines; rejects with the signal's reason.
 */
export async function copyDependencies(options: CopyDependencies): Promise<void> {
  const home = options.env['MAVEN_HOME'];
  const maven = await findExecutable('mvn', [home === undefined || home === '' ? undefined : join(home, 'bin')], options.env);
  if (maven === undefined) {
    throw new EmbeddedRocketmqError(
      'MAVEN_MISSING',
      `no mvn found in MAVEN_HOME (${home ?? 'not set'}) nor on PATH: Maven 3 fetches the RocketMQ jars the first time`,
    );
  }
  options.signal?.throwIfAborted();
  const child = spawn(
    maven,
    [
      '-B',
      '-f',
      options.pom,
      'dependency:copy-dependencies',
      `-Drocketmq.version=${options.version}`,
      ...(options.profiles.length === 0 ? [] : ['-P', options.profiles.join(',')]),
      '-DincludeScope=runtime',
      `-DoutputDirectory=${options.outputDir}`,
    ],
    { env: options.env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const onAbort = (): void => {
    child.kill('SIGTERM');
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const lastLines: string[] = [];
  let downloads = 0;
  let nextProgressAt = performance.now() + PROGRESS_EVERY_MS;
  const onLine = (line: string): void => {
    if (/Downloaded from/.test(line)) downloads++;
    if (!/Download(ed|ing) from|Progress \(/.test(line)) lastLines.push(line);
    if (lastLines.length > KEPT_LINES) lastLines.shift();
    if (performance.now() >= nextProgressAt) {
      nextProgressAt = performance.now() + PROGRESS_EVERY_MS;
      options.onProgress?.(`Maven is at work: ${downloads} files downloaded`);
    }
  };
  createInterface({ input: child.stdout }).on('line', onLine);
  createInterface({ input: child.stderr }).on('line', onLine);
  try {
    const ended = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve(code === 0 ? 'well' : `with ${signal ?? `exit code ${code ?? '?'}`}`);
      });
    });
    options.signal?.throwIfAborted();
    if (ended !== 'well') {
      const errors = lastLines.filter((line) => line.includes('[ERROR]'));
      const shown = (errors.length > 0 ? errors : lastLines).slice(0, 12).join('\n');
      throw new EmbeddedRocketmqError('JARS_NOT_FETCHED', `${maven} ended ${ended}:\n${shown}`, { retriable: true });
    }
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
  }
}
