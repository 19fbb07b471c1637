import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { ConnectError, ConnectErrorCode } from '@sluice/sdk';
import { type FileAge, type FilePlace, FollowedFile, statIfPresent } from './followed-file.js';

/** A file beside the followed one that was rotated away from its name. */
interface RotatedFile extends FileAge {
  readonly path: string;
  readonly isCompressed: boolean;
}

const ROTATION_MARK = /^[.\-_](\d[\w.:-]*|old|bak|prev|orig)$/;
/** A folder may have years of rotated files. */
const MAX_NAMED = 5;
const COMPRESSED = /\.(gz|bz2|xz|zst|lz4|zip|Z)$/;
/** A look that a rotation crosses is repeated. One rotation follows another only after a while. */
const MAX_LOOKS = 10;

/**
 * Opens the file that has a place. Prefers the file of that name if it has the given inode, then the rotated file with that inode. The last
 * choice is a copy: a rotated file with the same bytes there. A place without inode and print belongs to the file that has the name.
 */
export async function findPlace(path: string, place: FilePlace, inode: number | undefined): Promise<FollowedFile | undefined> {
  let seen = await rotatedBeside(path);
  for (let look = 1; look <= MAX_LOOKS; look++) {
    const named = await statIfPresent(path);
    const file = await openPlace(path, place, { inode, namedInode: named?.ino, rotated: seen.filter(({ isCompressed }) => !isCompressed) });
    if (file !== undefined) return file;
    // A rotation meanwhile may have moved the file on to a name that was looked at before.
    const now = await rotatedBeside(path);
    if (areSame(seen, now) && (await statIfPresent(path))?.ino === named?.ino) return undefined;
    seen = now;
  }
  throw alwaysChanging(path);
}

interface Surroundings {
  readonly inode: number | undefined;
  readonly namedInode: number | undefined;
  readonly rotated: readonly RotatedFile[];
}

async function openPlace(path: string, place: FilePlace, { inode, namedInode, rotated }: Surroundings): Promise<FollowedFile | undefined> {
  const isNamed = inode === undefined ? place.print === undefined : namedInode === inode;
  if (isNamed) {
    const file = await openIf(path, place, (opened) => inode === undefined || opened.inode === inode);
    if (file !== undefined) return file;
  }
  if (place.print === undefined) return undefined;
  const sameFirst = [...rotated.filter((file) => file.inode === inode), ...rotated.filter((file) => file.inode !== inode)];
  for (const candidate of sameFirst) {
    const file = await openIf(candidate.path, place, async (opened) => identity(await opened.age()) === identity(candidate));
    if (file !== undefined) return file;
  }
  return undefined;
}

/** Opens a file at a place, unless it is not the one that is meant. A rotation between look and opening gives the name to another. */
async function openIf(
  path: string,
  place: FilePlace,
  isMeant: (file: FollowedFile) => boolean | Promise<boolean>,
): Promise<FollowedFile | undefined> {
  const file = await FollowedFile.open(path, place);
  if (!(file instanceof FollowedFile)) return undefined;
  let isKept = false;
  try {
    isKept = await isMeant(file);
  } finally {
    if (!isKept) await file.close();
  }
  return isKept ? file : undefined;
}

/** Says which compressed files beside the followed one may have lines that were not read, the last written first; empty if there are none. */
export async function nameCompressed(path: string): Promise<string> {
  const packed = (await rotatedBeside(path)).filter(({ isCompressed }) => isCompressed).map((file) => file.path);
  if (packed.length === 0) return '';
  const more = packed.length > MAX_NAMED ? ` and ${packed.length - MAX_NAMED} older ones` : '';
  return ` The task cannot read compressed files, which may have these lines: ${packed.slice(0, MAX_NAMED).join(', ')}${more}.`;
}

/** A file that was read to its end, and the name that it was opened by. */
export interface LeftFile extends FileAge {
  readonly path: string;
}

/** What is known of the files beside the followed one. */
export class RotationWatch {
  readonly #path: string;
  readonly #warn: (text: string) => void;
  /** Files that stood beside the followed one while it had its name: they did not come after it. `undefined` after a restart. */
  #known: Set<string> | undefined;

  /** @param warn - receives a text about files that cannot be read */
  constructor(path: string, warn: (text: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  /** Notes which files stand beside a file that has the followed name, unless it has lost that name: some may have come after it then. */
  async lookAround(file: FollowedFile): Promise<void> {
    const beside = await rotatedBeside(this.#path);
    const named = await statIfPresent(this.#path);
    if (named?.ino === file.inode) this.#known = new Set(beside.map(identity));
  }

  /**
   * Opens the file that follows the one that was left: the first rotated file written after it, else the file that has the name. A file of
   * the same time is treated as later, since reading twice loses nothing. Returns `undefined` where there is none yet, and where a rotation
   * crossed the look.
   */
  async next(left: LeftFile | undefined): Promise<FollowedFile | undefined> {
    const path = this.#path;
    let later = left === undefined ? [] : await this.#after(left);
    const rotated = later.find(({ isCompressed }) => !isCompressed);
    const file = await openIf(rotated?.path ?? path, { position: 0, print: undefined }, async (opened) => {
      if (rotated !== undefined) return identity(await opened.age()) === identity(rotated);
      // A rotation before the opening left a file between the left one and this.
      if (left !== undefined) later = await this.#after(left);
      return later.every(({ isCompressed }) => isCompressed);
    });
    if (file === undefined) return undefined;
    const unreadable = later.filter(({ isCompressed }) => isCompressed);
    if (unreadable.length > 0) {
      const names = unreadable.map(({ path: compressedPath }) => compressedPath).join(', ');
      this.#warn(`Rotated files of ${path} were compressed before they were read, their lines are missing: ${names}.`);
    }
    if (left !== undefined) this.#known?.add(identity(left));
    if (rotated === undefined) await this.lookAround(file);
    return file;
  }

  /**
   * Lists the rotated files that came after the left one, the oldest first. A file beside the followed one may be the log of another
   * process, as `worker-1.log` beside `worker.log`. So a file qualifies only if it is new. After a restart nobody knows that. Its name must have
   * the form of the left file's name then, even if a tool has removed that file.
   */
  async #after(left: LeftFile): Promise<readonly RotatedFile[]> {
    const files = await rotatedBeside(this.#path);
    const place = files.find(({ inode }) => inode === left.inode);
    const known = this.#known;
    const isOwn = (file: RotatedFile): boolean =>
      known === undefined ? formOf(this.#path, file.path) === formOf(this.#path, (place ?? left).path) : !known.has(identity(file));
    const isLater = (file: RotatedFile): boolean =>
      file.inode !== left.inode && (place === undefined ? byAge(file, left) >= 0 : byRotation(file, place) > 0);
    const plain = new Set(files.filter(({ isCompressed }) => !isCompressed).map((file) => file.path));
    // While a tool compresses a file, both are there. It then removes the plain one, and the other takes over its time.
    const ofItsTime = files.filter((file) => file.isCompressed && file.writtenNs === left.writtenNs);
    const isCopy = (file: RotatedFile): boolean =>
      file.isCompressed &&
      (plain.has(file.path.replace(COMPRESSED, '')) ||
        // Of several nobody knows which one has the lines that were read.
        (place === undefined && ofItsTime.length === 1 && file === ofItsTime[0]));
    return files.filter((file) => isOwn(file) && isLater(file) && !isCopy(file)).reverse();
  }
}

/** An inode that is used again belongs to a file that was made at another time. */
function identity({ inode, madeNs }: FileAge): string {
  return `${inode}-${madeNs}`;
}

/** Returns the name of a rotated file without its digits and its compression. */
function formOf(path: string, rotated: string): string {
  const name = basename(rotated).replace(COMPRESSED, '');
  return basename(path) === name ? name : name.replaceAll(/\d+/g, '0');
}

function byAge(one: FileAge, other: FileAge): number {
  return compare(one.writtenNs, other.writtenNs) || compare(one.madeNs, other.madeNs);
}

/** Orders two files of one time: `app.log.2` is older than `app.log.1`, and `app.log-20261127` than `app.log-20261128`. */
function byRotation(one: RotatedFile, other: RotatedFile): number {
  const [oneNumber, otherNumber] = [one, other].map(({ path }) => /[.](\d{1,4})(?=[.][a-z]+$|$)/i.exec(path)?.[1]);
  const byName =
    oneNumber !== undefined && otherNumber !== undefined ? Number(otherNumber) - Number(oneNumber) : compare(one.path, other.path);
  return byAge(one, other) || byName;
}

function compare<T extends bigint | string>(left: T, right: T): number {
  return left < right ? -1 : Number(left > right);
}

/** Lists the rotated files of `path`, the last written first. A folder that cannot be read has none. */
async function rotatedBeside(path: string): Promise<readonly RotatedFile[]> {
  let seen = await listBeside(path);
  for (let look = 1; look <= MAX_LOOKS; look++) {
    // A list that a rotation crosses may lack the file that it moved.
    const now = await listBeside(path);
    if (areSame(seen, now)) return now;
    seen = now;
  }
  throw alwaysChanging(path);
}

function areSame(seen: readonly RotatedFile[], now: readonly RotatedFile[]): boolean {
  const names = new Map(seen.map((file) => [file.path, identity(file)]));
  return seen.length === now.length && now.every((file) => names.get(file.path) === identity(file));
}

function alwaysChanging(path: string): ConnectError {
  const what = `The files beside ${path} changed during each of ${MAX_LOOKS} looks in a row`;
  return new ConnectError(ConnectErrorCode.sourceFailed, `${what}. The task looks again.`, { retriable: true });
}

async function listBeside(path: string): Promise<readonly RotatedFile[]> {
  const folder = dirname(path);
  const name = basename(path);
  const files: RotatedFile[] = [];
  const found = (await readdir(folder).catch(() => [])).filter((candidate) => isRotation(name, candidate));
  // Compressed ones last: where the plain one is gone by then, the compressed one is complete and has its time.
  const candidates = [...found.filter((one) => !COMPRESSED.test(one)), ...found.filter((one) => COMPRESSED.test(one))];
  for (const candidate of candidates) {
    const facts = await stat(join(folder, candidate), { bigint: true }).catch(() => undefined);
    if (facts?.isFile() !== true) continue;
    files.push({
      path: join(folder, candidate),
      inode: Number(facts.ino),
      writtenNs: facts.mtimeNs,
      madeNs: facts.birthtimeNs,
      isCompressed: COMPRESSED.test(candidate),
    });
  }
  return files.sort((left, right) => byRotation(right, left));
}

/** `app.log` becomes `app.log.1`, `app.log-20261128`, `app.log.old`, `app.1.log` or `app-2026-11-28.log`, compressed or not. */
function isRotation(name: string, candidate: string): boolean {
  const plain = candidate.replace(COMPRESSED, '');
  if (plain.startsWith(name)) return ROTATION_MARK.test(plain.slice(name.length));
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  if (extension === '' || !plain.startsWith(stem) || !plain.endsWith(extension)) return false;
  return ROTATION_MARK.test(plain.slice(stem.length, plain.length - extension.length));
}
