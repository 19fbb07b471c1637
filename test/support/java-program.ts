import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ensureJars, type RocketmqVersion } from '@sluice/embedded-rocketmq';

const COMPILE_LIMIT_MS = 60_000;

/** Options of a JVM that lives shortly and does little. */
export const SMALL_JVM = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/**
 * Compiles Java sources against the jars of a RocketMQ version, the newest by default: its Java client and its tools. The classes stay
 * beside these jars, so that each state of the sources is compiled once.
 * @returns the class path to run it with
 */
export async function compileJava(sources: readonly string[], version?: RocketmqVersion): Promise<string> {
  const { libDir } = await ensureJars(version === undefined ? {} : { version });
  const jars = join(libDir, '*');
  const hash = createHash('sha256');
  for (const source of sources) hash.update(await readFile(source));
  const names = sources.map((source) => basename(source, '.java')).join('-');
  const classes = join(dirname(libDir), `${names}-${hash.digest('hex').slice(0, 12)}`);
  if (!(await isThere(classes))) {
    const partial = `${classes}.partial-${randomBytes(4).toString('hex')}`;
    try {
      const options = ['-nowarn', '--release', '17', '-d', partial, '-cp', jars, ...sources];
      await promisify(execFile)('javac', options, { timeout: COMPILE_LIMIT_MS });
      await rename(partial, classes).catch(async (error: unknown) => {
        // Another process was faster.
        if (!(await isThere(classes))) throw error;
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
  return `${classes}:${jars}`;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
