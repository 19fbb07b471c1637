import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectError, ConnectErrorCode } from '../errors/connect-error.js';
import { realFolder, requireWritableFolder, sinkFileError } from './sink-files.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-sink-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('an error of the file system', () => {
  it.each([
    ['ENOSPC', true],
    ['EDQUOT', true],
    ['EACCES', false],
    ['EIO', false],
  ])('%s is an error of the sink, retriable: %s', (code, retriable) => {
    const cause = Object.assign(new Error(`${code}: write`), { code });
    expect(sinkFileError('Writing to file /a failed', cause)).toMatchObject({
      code: ConnectErrorCode.sinkFailed,
      message: `Writing to file /a failed: ${code}: write`,
      retriable,
      cause,
    });
  });

  it('stays as it is where it is one of Sluice', () => {
    const error = new ConnectError(ConnectErrorCode.lockHeld, 'held', { retriable: true });
    expect(sinkFileError('File /a cannot be written', error)).toBe(error);
  });
});

describe('the folder of a sink', () => {
  const failure = 'File x cannot be written';

  it('is found behind links', async () => {
    await mkdir(join(folder, 'real'));
    await symlink(join(folder, 'real'), join(folder, 'link'));
    await expect(requireWritableFolder(join(folder, 'link'), failure)).resolves.toBeUndefined();
    expect(await realFolder(join(folder, 'link'), failure)).toBe(await realFolder(join(folder, 'real'), failure));
  });

  it('must exist, and the error names it', async () => {
    const missing = join(folder, 'none');
    await expect(requireWritableFolder(missing, failure)).rejects.toMatchObject({
      code: ConnectErrorCode.sinkFailed,
      message: `${failure}: folder ${missing} does not exist where the worker runs; create it`,
      retriable: false,
    });
  });

  it('must be a folder that can be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(requireWritableFolder(file, failure)).rejects.toThrow(`${failure}: ${file} is not a folder`);
    if (process.getuid?.() === 0) return;
    await chmod(folder, 0o500);
    await expect(requireWritableFolder(folder, failure)).rejects.toThrow(`${failure}: EACCES`);
    await chmod(folder, 0o700);
  });
});
