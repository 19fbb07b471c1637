import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';
import { pathExists } from './path-exists.js';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../java/sluice/embedded/LoopbackMain.java', import.meta.url));
const TOOL_TIMEOUT_MS = 60_000;

export interface LauncherInput {
  /** Absent in a JRE: then there is no launcher. */
  readonly javac: string | undefined;
  readonly libDir: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns the jar of LoopbackMain, which binds to 127.0.0.1 what RocketMQ has no setting for. Compiled once beside the other jars; a folder
 * of classes on the class path would keep JVMs from making a class archive. Undefined without a Java compiler: the HA, gRPC and remoting
 * proxy ports are then open on every interface. Throws EmbeddedRocketmqError `COMMAND_FAILED` with what the tool printed.
 */
export async function ensureLoopbackLauncher({ javac, libDir, signal }: LauncherInput): Promise<string | undefined> {
  if (javac === undefined) return undefined;
  const hash = createHash('sha256')
    .update(await readFile(SOURCE))
    .digest('hex')
    .slice(0, 12);
  const launcher = join(dirname(libDir), `launcher-${hash}.jar`);
  if (await pathExists(launcher)) return launcher;
  const release = await acquireLock(launcher, { signal });
  const temporary = `${launcher}.partial-${randomBytes(4).toString('hex')}`;
  try {
    if (await pathExists(launcher)) return launcher;
    const classes = join(temporary, 'classes');
    const jar = join(temporary, 'launcher.jar');
    await mkdir(temporary);
    await runTool(javac, ['--release', '17', '-cp', join(libDir, '*'), '-d', classes, SOURCE], signal);
    await runTool(join(dirname(javac), 'jar'), ['--create', '--file', jar, '-C', classes, '.'], signal);
    await rename(jar, launcher);
    return launcher;
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await release();
  }
}

async function runTool(tool: string, args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  try {
    await run(tool, [...args], { timeout: TOOL_TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    const printed = (cause as { stderr?: string }).stderr ?? String(cause);
    throw new EmbeddedRocketmqError('COMMAND_FAILED', `${tool} ${args.join(' ')} failed:\n${printed}`, { cause });
  }
}
