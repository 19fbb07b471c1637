import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { findExecutable } from './find-executable.js';

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
  const { major, build } = (await releaseOf(java)) ?? (await askVersion(java, env));
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
    build,
  };
}

type JavaVersion = Pick<Java, 'major' | 'build'>;

/** Reads the version in the file `release` of the installation: running Java for it takes as long as a small program does. */
async function releaseOf(java: string): Promise<JavaVersion | undefined> {
  const file = join(dirname(await realpath(java)), '..', 'release');
  return parseRelease(await readFile(file, 'utf8').catch(() => ''));
}

async function askVersion(java: string, env: NodeJS.ProcessEnv): Promise<JavaVersion> {
  let banner: string;
  try {
    const { stdout, stderr } = await run(java, ['-version'], { env, timeout: 30_000 });
    banner = `${stderr}${stdout}`;
  } catch (cause) {
    throw new EmbeddedRocketmqError('JAVA_MISSING', `${java} -version failed: ${String(cause)}`, { cause });
  }
  const major = parseJavaMajor(banner);
  if (major === undefined) {
    throw new EmbeddedRocketmqError('JAVA_MISSING', `${java} -version printed no version: ${banner.trim().slice(0, 200)}`);
  }
  return { major, build: parseJavaBuild(banner) };
}

/** Returns what the file `release` of a Java installation says of its version; undefined where it does not name the very build. */
export function parseRelease(text: string): JavaVersion | undefined {
  const values = new Map([...text.matchAll(/^(\w+)="(.*)"\r?$/gm)].map(([, name = '', value = '']) => [name, value]));
  const major = parseJavaMajor(`version "${values.get('JAVA_VERSION') ?? ''}"`);
  const runtime = values.get('JAVA_RUNTIME_VERSION');
  if (major === undefined || runtime === undefined) return undefined;
  return { major, build: [values.get('IMPLEMENTOR'), values.get('JVM_VARIANT'), runtime].filter(Boolean).join() };
}

/**
 * Returns the feature release in what `java -version` prints: 17 for `openjdk version "17.0.15" 2025-04-15`, 8 for
 * `java version "1.8.0_392"`, 21 for `openjdk version "21-ea"`. Undefined where no version line is found.
 */
export function parseJavaMajor(banner: string): number | undefined {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(banner);
  if (match === null) return undefined;
  const first = Number(match[1]);
  if (first !== 1) return first;
  return match[2] === undefined ? undefined : Number(match[2]);
}

/** Returns the builds that `java -version` prints, without the options and modes of the moment: `17.0.15+6-Debian-1,…`. */
export function parseJavaBuild(banner: string): string {
  return [...banner.matchAll(/\(build ([^,)\s]+)/g)].map(([, build]) => build).join();
}
