import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { ConnectError, ConnectErrorCode, isConnectError } from '../errors/connect-error.js';

/** Errors of a full disk or quota: they end when somebody frees space. */
const FULL_DISK_CODES: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);

/**
 * Turns an error of the file system into one of a sink; a full disk is retriable. Returns an error of Sluice as it is.
 * @param failure what failed, as the message begins: `File /a/b cannot be written`
 */
export function sinkFileError(failure: string, cause: unknown): ConnectError {
  if (isConnectError(cause)) return cause;
  const { code, message } = cause as NodeJS.ErrnoException;
  return new ConnectError(ConnectErrorCode.sinkFailed, `${failure}: ${message}`, {
    cause,
    retriable: FULL_DISK_CODES.has(code),
  });
}

/**
 * Resolves the links in the path of a folder that has to exist.
 * @throws {ConnectError} beginning with `failure`
 */
export async function realFolder(folder: string, failure: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw sinkFileError(failure, error);
    const missing = `folder ${folder} does not exist where the worker runs; create it`;
    throw sinkFileError(failure, new Error(missing, { cause: error }));
  }
}

/**
 * Checks that a sink can create files in a folder, before there is anything to write.
 * @throws {ConnectError} beginning with `failure`
 */
export async function requireWritableFolder(folder: string, failure: string): Promise<void> {
  const path = await realFolder(folder, failure);
  try {
    if (!(await stat(path)).isDirectory()) throw new Error(`${folder} is not a folder`);
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw sinkFileError(failure, error);
  }
}
