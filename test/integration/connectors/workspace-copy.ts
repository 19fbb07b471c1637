import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface CommandResult {
  readonly code: number;
  /** What the command printed to either stream. */
  readonly output: string;
}

/** A copy of the workspace as it was built, in which commands can change anything. */
export class WorkspaceCopy {
  private constructor(readonly root: string) {}

  static async make(): Promise<WorkspaceCopy> {
    const target = await realpath(await mkdtemp(join(tmpdir(), 'sluice-workspace-')));
    for (const { name } of await readdir(root, { withFileTypes: true })) {
      if (['.git', '.sluice', 'node_modules'].includes(name)) continue;
      // Built files keep their times: the compiler builds only what a command changes.
      await cp(join(root, name), join(target, name), {
        recursive: true,
        preserveTimestamps: true,
        verbatimSymlinks: true,
      });
    }
    for (const name of ['package.json', 'tsconfig.json']) await cp(join(root, 'test', name), join(target, 'test', name));
    await linkModules(target);
    return new WorkspaceCopy(target);
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  /** Runs a command in the copy; resolves also when it fails. */
  run(command: string, args: readonly string[]): Promise<CommandResult> {
    return new Promise((resolve) => {
      const env = { ...process.env, NODE_OPTIONS: '', JEST_WORKER_ID: undefined };
      const options = { cwd: this.root, env, timeout: 300_000, maxBuffer: 1 << 26 };
      execFile(command, args, options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, output: `${stdout}${stderr}` });
      });
    });
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Links each installed package; those of the workspace lead into the copy, as npm has them. Commands then take the lock file for installed. */
async function linkModules(target: string): Promise<void> {
  const lock = createHash('sha256').update(await readFile(join(target, 'package-lock.json')));
  const from = join(root, 'node_modules');
  await mkdir(join(target, 'node_modules'), { recursive: true });
  for (const name of await readdir(from)) {
    if (basename(name) === '@sluice') {
      await cp(join(from, name), join(target, 'node_modules', name), { recursive: true, verbatimSymlinks: true });
    } else if (name !== '.package-lock.json' && name !== '.sluice-installed') {
      await symlink(join(from, name), join(target, 'node_modules', name));
    }
  }
  await writeFile(join(target, 'node_modules/.sluice-installed'), lock.digest('hex'));
}
