import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureJars, type RocketmqVersion } from '@sluice/embedded-rocketmq';

const COMPILE_LIMIT_MS = 60_000;

/** Options of a JVM that lives shortly and does little. */
export const SMALL_JVM = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/**
 * Compiles one Java source against the jars of a RocketMQ version, the newest by default: its Java client and its tools.
 * @returns the class path to run it with
 */
export async function compileJava(source: string, directory: string, version?: RocketmqVersion): Promise<string> {
  const { libDir } = await ensureJars(version === undefined ? {} : { version });
  const jars = join(libDir, '*');
  await mkdir(directory, { recursive: true });
  const options = ['-nowarn', '-d', directory, '-cp', jars, source];
  await promisify(execFile)('javac', options, { timeout: COMPILE_LIMIT_MS });
  return `${directory}:${jars}`;
}
