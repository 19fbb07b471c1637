import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { findExecutable } from './find-executable.js';
import { parseJavaBuild, parseJavaMajor } from './java-version.js';

const run = promisify(execFile);

/** What the start flags of an embedded cluster were run with; older JVMs reject some of them. */
export const OLDEST_JAVA = 17;

export interface Java {
  /** Path of the `java` executable. */
  readonly java: string;
  /** Path of the `javac` of the same installation; absent in a JRE. */
  readonly javac: string | undefined;
  readonly major: number;
  /** Names the very build. */
  readonly build: string;
}

/**
 * Finds Java in `JAVA_HOME`, then on `PATH`.
 * Throws EmbeddedRocketmqError `JAVA_MISSING` or `JAVA_TOO_OLD`.
 */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<Java> {
  const home = env['JAVA_HOME'];
  const java = await findExecutable('java', [home === undefined || home === '' ? undefined : join(home, 'bin')], env);
  if (java === undefined) {
    throw new EmbeddedRocketmqError(
      'JAVA_MISSING',
      `no java found in JAVA_HOME (${home ?? 'not set'}) nor on PATH: an embedded RocketMQ needs Java ${OLDEST_JAVA} or newer`,
    );
  }
  let banner: string;
  try {
    const { stdout, stderr } = await run(java, ['-version'], { env, timeout: 30_000 });
    banner = `${stderr}${stdout}`;
  } catch (cause) {
    throw new EmbeddedRocketmqError('JAVA_MISSING', `${java} -version failed: ${String(cause)}`, { cause });
  }
  const major = parseJavaMajor(banner);
  if (major === undefined) {
    throw new EmbeddedRocketmqError(
      'JAVA_MISSING',
      `${java} -version printed no version: ${banner.trim().slice(0, 200)}`,
    );
  }
  if (major < OLDEST_JAVA) {
    throw new EmbeddedRocketmqError(
      'JAVA_TOO_OLD',
      `${java} is Java ${major}: an embedded RocketMQ needs Java ${OLDEST_JAVA} or newer; point JAVA_HOME to one`,
    );
  }
  return {
    java,
    javac: await findExecutable('javac', [dirname(java)], { PATH: '' }),
    major,
    build: parseJavaBuild(banner),
  };
}
