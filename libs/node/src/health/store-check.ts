import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeCheck } from './health-check.js';

const PROBE_FILE = 'health.probe';
/** As much as a file system gives out at a time: less may fit into a disk that is full. */
const PROBE_BYTES = 4096;

/** What the codes of the operating system mean to an operator. */
const causes: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free space on it',
  EDQUOT: 'the quota is used up: raise it or free space',
  EFBIG: 'the limit on the size of files is reached: raise it for the process',
  EROFS: 'it is mounted read-only: mount it for writing',
  EACCES: 'the process may not write there: give its user the right to',
  EPERM: 'the process may not write there: give its user the right to',
  ENOENT: 'the directory is gone: restart the node',
  EIO: 'the disk fails: replace it',
};

/** Checks that the node's own directory takes a write and keeps it: writes, syncs and removes a small file. */
export function storeCheck(directory: string): NodeCheck {
  const path = join(directory, PROBE_FILE);
  return {
    name: 'store',
    check: async () => {
      try {
        await writeSynced(path);
      } catch (error) {
        const { code = '', message } = error as NodeJS.ErrnoException;
        const cause = causes[code];
        throw new Error(
          `The node cannot write to ${directory} (${code === '' ? message : code})${cause === undefined ? '' : `, ${cause}`}`,
          { cause: error },
        );
      } finally {
        await rm(path, { force: true }).catch(() => undefined);
      }
      return { path: directory };
    },
  };
}

async function writeSynced(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.write(Buffer.alloc(PROBE_BYTES));
    await file.sync();
  } finally {
    await file.close();
  }
}
