import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DISK_BYTES = 2 * 1024 * 1024;
const BLOCK_BYTES = 4096;

/** A directory with a disk of its own, which can be filled. */
export class SmallDisk {
  private constructor(
    readonly path: string,
    private readonly isMounted: boolean,
  ) {}

  /** Mounts one of 2 MiB in memory. Where the process may not mount, it is a plain directory: see {@link fillFor}. */
  static at(path: string): SmallDisk {
    mkdirSync(path, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', path], { stdio: 'pipe' });
      return new SmallDisk(path, true);
    } catch {
      return new SmallDisk(path, false);
    }
  }

  /** The error that a process meets on it once it is full. */
  get fullCode(): 'ENOSPC' | 'EFBIG' {
    return this.isMounted ? 'ENOSPC' : 'EFBIG';
  }

  /** Leaves no byte free. On a plain directory the process is forbidden to write into files at all, by a limit of the system. */
  fillFor(pid: number): void {
    if (!this.isMounted) {
      execFileSync('prlimit', ['--pid', String(pid), '--fsize=0:unlimited']);
      return;
    }
    for (let block = 0; block <= DISK_BYTES / BLOCK_BYTES; block += 1) {
      try {
        writeFileSync(join(this.path, 'ballast'), Buffer.alloc(BLOCK_BYTES), { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
        throw error;
      }
    }
    throw new Error(`the disk at ${this.path} does not get full`);
  }

  /** Undoes {@link fillFor}. */
  clearFor(pid: number): void {
    if (this.isMounted) rmSync(join(this.path, 'ballast'), { force: true });
    else execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']);
  }

  close(): void {
    if (this.isMounted) execFileSync('umount', [this.path], { stdio: 'pipe' });
  }
}
