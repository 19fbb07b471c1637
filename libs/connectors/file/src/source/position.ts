import { ConnectError, ConnectErrorCode, plainJson, type SourcePosition } from '@sluice/sdk';
import type { FilePlace } from './followed-file.js';

/** A stored position: the place, and the inode of the file that it is in. */
export interface StoredPlace extends FilePlace {
  readonly inode: number | undefined;
}

/**
 * Writes a place as a position: `position` is the byte offset, `file` says which file it is in, `<inode>-<print>` in base 36. An operator
 * may write a position without `file`.
 */
export function toPosition(position: number, inode: string, print: number): SourcePosition {
  return { position, file: `${inode}-${base36(print)}` };
}

/** Three digits apart from the others: Node writes whole numbers from 2^31 on ten times slower than smaller ones. */
function base36(print: number): string {
  const high = Math.floor(print / 36 ** 3);
  if (high === 0) return print.toString(36);
  return high.toString(36) + (print - high * 36 ** 3).toString(36).padStart(3, '0');
}

/** @throws ConnectError with code `CONNECT_POSITION_INVALID` */
export function fromPosition(path: string, stored: SourcePosition): StoredPlace {
  const { position, file } = stored;
  if (typeof position === 'number' && Number.isSafeInteger(position) && position >= 0) {
    if (file === undefined) return { position, inode: undefined, print: undefined };
    const [inode, print] = typeof file === 'string' && /^[0-9a-z]+-[0-9a-z]+$/.test(file) ? file.split('-') : [];
    if (inode !== undefined && print !== undefined) {
      return { position, inode: Number.parseInt(inode, 36), print: Number.parseInt(print, 36) };
    }
  }
  throw new ConnectError(
    ConnectErrorCode.positionInvalid,
    `The stored position ${plainJson(stored)} of file ${path} is invalid: allowed are the byte offset as "position", a whole number ` +
      'from 0, and "file", the inode and the print of the bytes before it in base 36, joined by a dash.',
  );
}
