import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { placeClassArchive } from './class-archive.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { pollUntil } from './poll-until.js';
import { isStillRunning, processFacts, type ProcessIdentity } from './process-identity.js';

export interface JvmProcess extends ProcessIdentity {
  /** The command line argument that distinguishes this process from others. */
  readonly marker: string;
  /** Present only while this process is the parent. */
  readonly child?: ChildProcess;
}

export interface SpawnJvm {
  readonly java: string;
  readonly args: readonly string[];
  readonly marker: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** File that gets what the JVM prints; what an earlier run printed is dropped. */
  readonly outputFile: string;
}

/** Starts a JVM in a session of its own, so that Ctrl-C in a terminal does not reach it. */
export async function spawnJvm(options: SpawnJvm): Promise<JvmProcess> {
  const output = await open(options.outputFile, 'w');
  try {
    const child = spawn(options.java, [...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', output.fd, output.fd],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const { pid } = child;
    const facts = pid === undefined ? undefined : await processFacts(pid);
    if (facts === undefined) {
      throw new EmbeddedRocketmqError('JVM_DIED', `${options.java} ended at once; see ${options.outputFile}`);
    }
    return { pid: facts.pid, startedAt: facts.startedAt, marker: options.marker, child };
  } finally {
    await output.close();
  }
}

export function isJvmRunning(jvm: JvmProcess): Promise<boolean> {
  return isStillRunning(jvm, jvm.marker);
}

/** Returns how the child ended, `exit code 1` or `SIGKILL`; undefined while it runs or when another process is its parent. */
export function describeExit(jvm: JvmProcess): string | undefined {
  const { child } = jvm;
  if (child === undefined) return undefined;
  if (child.signalCode !== null) return child.signalCode;
  return child.exitCode === null ? undefined : `exit code ${child.exitCode}`;
}

/** Sends a signal to the JVM itself, only after its identity was verified. False: it had ended already. */
export async function signalJvm(jvm: JvmProcess, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isJvmRunning(jvm))) return false;
  try {
    process.kill(jvm.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Waits until the process has ended. False: it still runs after `timeoutMs`. */
export async function waitForEnd(jvm: JvmProcess, timeoutMs: number): Promise<boolean> {
  const ended = await pollUntil(async () => ((await isJvmRunning(jvm)) ? undefined : true), { everyMs: 25, timeoutMs });
  return ended === true;
}

export type StopOutcome =
  | { readonly kind: 'not-running' }
  | { readonly kind: 'stopped'; readonly tookMs: number }
  | { readonly kind: 'killed'; readonly afterMs: number };

const KILL_LIMIT_MS = 10_000;

/**
 * SIGTERM, and SIGKILL once `timeoutMs` have passed. Resolves after the process has ended.
 * Throws EmbeddedRocketmqError `NOT_ENDED_IN_TIME` when even SIGKILL did not end it within 10 s.
 */
export async function stopJvm(jvm: JvmProcess, timeoutMs: number): Promise<StopOutcome> {
  const startedAtMs = performance.now();
  const command = (await processFacts(jvm.pid))?.command ?? '';
  if (!(await signalJvm(jvm, 'SIGTERM'))) return { kind: 'not-running' };
  // A stopped process takes SIGTERM only once it continues.
  await signalJvm(jvm, 'SIGCONT');
  const hasEnded = await waitForEnd(jvm, timeoutMs);
  if (!hasEnded) await killJvm(jvm);
  await placeClassArchive(command, hasEnded);
  if (hasEnded) return { kind: 'stopped', tookMs: Math.round(performance.now() - startedAtMs) };
  return { kind: 'killed', afterMs: timeoutMs };
}

/** SIGKILL; resolves after the process has ended. Throws EmbeddedRocketmqError `NOT_ENDED_IN_TIME` when it did not within 10 s. */
export async function killJvm(jvm: JvmProcess): Promise<void> {
  await signalJvm(jvm, 'SIGKILL');
  if (await waitForEnd(jvm, KILL_LIMIT_MS)) return;
  throw new EmbeddedRocketmqError('NOT_ENDED_IN_TIME', `pid ${jvm.pid} still runs ${KILL_LIMIT_MS} ms after SIGKILL`);
}
