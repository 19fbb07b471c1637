import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** Returns the first executable file of that name: in `preferredDirs` (undefined ones are skipped), then in the directories of `PATH`. */
export async function findExecutable(
  name: string,
  preferredDirs: readonly (string | undefined)[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const pathDirs = (env['PATH'] ?? '').split(delimiter);
  for (const dir of [...preferredDirs, ...pathDirs]) {
    if (dir === undefined || dir === '') continue;
    const candidate = join(dir, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}
