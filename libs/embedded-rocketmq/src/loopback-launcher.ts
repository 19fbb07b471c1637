import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../java/sluice/embedded/LoopbackMain.java', import.meta.url));
const COMPILE_TIMEOUT_MS = 60_000;

export interface LauncherInput {
  /** Absent in a JRE: then there is no launcher. */
  readonly javac: string | undefined;
  readonly libDir: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The class folder of LoopbackMain, which binds what RocketMQ cannot be told to bind to 127.0.0.1. Compiled once beside
 * the jars. Undefined without a Java compiler: the HA, gRPC and remoting proxy ports are then open on every interface.
 * Throws EmbeddedRocketmqError `COMMAND_FAILED` with what the compiler printed.
 */
export async function ensureLoopbackLauncher({ javac, libDir, signal }: LauncherInput): Promise<string | undefined> {
  if (javac === undefined) return undefined;
  const hash = createHash('sha256')
    .update(await readFile(SOURCE))
    .digest('hex')
    .slice(0, 12);
  const classesDir = join(dirname(libDir), `launcher-${hash}`);
  if (await exists(classesDir)) return classesDir;
  const release = await acquireLock(classesDir, { signal });
  const temporary = `${classesDir}.partial-${randomBytes(4).toString('hex')}`;
  try {
    if (await exists(classesDir)) return classesDir;
    await compile(javac, libDir, temporary, signal);
    await rename(temporary, classesDir);
    return classesDir;
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await release();
  }
}

async function compile(
  javac: string,
  libDir: string,
  outputDir: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await run(javac, ['--release', '17', '-cp', join(libDir, '*'), '-d', outputDir, SOURCE], {
      timeout: COMPILE_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    signal?.throwIfAborted();
    const printed = (cause as { stderr?: string }).stderr ?? String(cause);
    throw new EmbeddedRocketmqError('COMMAND_FAILED', `${javac} could not compile ${SOURCE}:\n${printed}`, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
