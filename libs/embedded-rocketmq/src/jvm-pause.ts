import { spawn } from 'node:child_process';
import { type JvmProcess, signalJvm } from './jvm-process.js';

/** A process that was stopped by SIGSTOP. */
export interface Pause {
  /** Lets it run again; resolves after SIGCONT was sent. Twice is fine. */
  readonly end: () => Promise<void>;
}

/** Lets a process run again when its own input ends. */
export function guardCommand(pid: number): [string, string[]] {
  return ['/bin/sh', ['-c', `read -r _; kill -CONT ${pid}`]];
}

/**
 * Stops a process with SIGSTOP; false when it had ended already. A stopped process does not notice the end of its parent. That end closes
 * the input of a guard, which then lets the process run again.
 */
export async function pauseJvm(jvm: JvmProcess): Promise<Pause | undefined> {
  const [command, args] = guardCommand(jvm.pid);
  const guard = spawn(command, args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const hasEnded = new Promise<void>((resolve) =>
    guard.once('exit', () => {
      resolve();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    guard.once('spawn', resolve);
    guard.once('error', reject);
  });
  guard.unref();
  const end = async (): Promise<void> => {
    guard.ref();
    guard.stdin.end();
    await hasEnded;
  };
  if (await signalJvm(jvm, 'SIGSTOP')) return { end };
  await end();
  return undefined;
}
