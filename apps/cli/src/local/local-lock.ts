import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { acquireExclusiveLock, LockHeldError, readTextIfPresent, type ExclusiveLock } from '@sluice/sdk/files';

const POLL_MS = 100;
/** A supervisor passes a signal on a moment after it was sent: until then a cluster that is to stop does not say so. */
const ANNOUNCE_MS = 3_000;
const STOP_MS = 180_000;

/** Held while a local cluster runs: those that come after it see whether it is stopping, and wait for its end. */
export class LocalLock {
  private constructor(
    private readonly lock: ExclusiveLock,
    private readonly stoppingFile: string,
  ) {}

  /**
   * Takes the lock; waits for a cluster that is stopping.
   *
   * @param onWait is called with the process that it waits for.
   * @throws Error when another one runs there, or does not end.
   */
  static async take(home: string, onWait: (pid: number) => void, signal: AbortSignal): Promise<LocalLock> {
    mkdirSync(home, { recursive: true });
    const stoppingFile = join(home, 'local.stopping');
    const startedAt = performance.now();
    for (let isWaiting = false; ;) {
      try {
        const lock = await acquireExclusiveLock(join(home, 'local.lock'));
        await rm(stoppingFile, { force: true });
        return new LocalLock(lock, stoppingFile);
      } catch (error) {
        if (!(error instanceof LockHeldError)) throw error;
        const pid = error.holder?.pid;
        const isStopping = pid !== undefined && (await readTextIfPresent(stoppingFile)) === String(pid);
        if (isStopping && !isWaiting) onWait(pid);
        isWaiting ||= isStopping;
        if (performance.now() - startedAt < (isWaiting ? STOP_MS : ANNOUNCE_MS)) {
          await delay(POLL_MS, undefined, { signal });
          continue;
        }
        const what = isWaiting
          ? `has not ended ${STOP_MS / 1000} s after its stop: end it, then start again`
          : 'runs already: stop it first, or set SLUICE_HOME to another directory';
        throw new Error(`The local cluster of process ${pid ?? 'unknown'} in ${home} ${what}`, {
          cause: error,
        });
      }
    }
  }

  /** Shows those that wait for the lock that its holder is about to end. */
  announceStop(): void {
    const written = `${this.stoppingFile}.tmp`;
    writeFileSync(written, String(process.pid));
    // Whoever sees the file reads the process in it: a file that is being written is empty first.
    renameSync(written, this.stoppingFile);
  }

  async release(): Promise<void> {
    await rm(this.stoppingFile, { force: true });
    await this.lock.release();
  }
}
