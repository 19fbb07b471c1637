import { createHash, randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathExists } from './path-exists.js';

const MAKE = '-XX:ArchiveClassesAtExit=';
const USE = '-XX:SharedArchiveFile=';
const PARTIAL = '.partial-';
/** Writing one takes seconds. */
const ABANDONED_MS = 600_000;
/** A path may have spaces in it, and the command line has all arguments in one. */
const MADE = /-XX:ArchiveClassesAtExit=(.+?\.partial-[0-9a-f]{8})/;

export interface ClassArchiveInput {
  /** An archive is of use to the very JVM that made it only. */
  readonly javaBuild: string;
  readonly libDir: string;
  /** See `ensureLoopbackLauncher`. Without it there is no archive: a broker that starts that fast registers 10 s late then. */
  readonly launcherJar: string | undefined;
  /** Whether this JVM loads what the others of a cluster load, and may write it down at its end. */
  readonly mayMake: boolean;
}

/**
 * Returns the arguments by which a JVM starts from the archive of loaded and verified classes (JEP 350). That saves a third of its start.
 * Without an archive the JVM writes one at its orderly end, which takes some seconds. The archive is beside the jars; a JVM that cannot use
 * it starts without.
 */
export async function classArchiveArguments(input: ClassArchiveInput): Promise<string[]> {
  const { javaBuild, libDir, launcherJar, mayMake } = input;
  if (launcherJar === undefined) return [];
  const id = createHash('sha256').update(`${javaBuild}\n${launcherJar}`).digest('hex').slice(0, 12);
  const archive = join(dirname(libDir), `classes-${id}.jsa`);
  if (await pathExists(archive)) return [`${USE}${archive}`];
  if (!mayMake) return [];
  await removeAbandoned(dirname(archive));
  return [`${MAKE}${archive}${PARTIAL}${randomBytes(4).toString('hex')}`];
}

/** What JVMs wrote that nobody saw end. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.includes(`.jsa${PARTIAL}`)) continue;
    const path = join(folder, name);
    const writtenAt = await stat(path).catch(() => undefined);
    if (writtenAt !== undefined && Date.now() - writtenAt.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}

/**
 * Puts the archive that a JVM has made in its place, or removes it where the JVM was killed while it wrote. `command` is its command line.
 */
export async function placeClassArchive(command: string, hasEndedWell: boolean): Promise<void> {
  const [, made] = MADE.exec(command) ?? [];
  if (made === undefined) return;
  if (hasEndedWell && (await pathExists(made))) await rename(made, made.slice(0, made.lastIndexOf(PARTIAL)));
  else await rm(made, { force: true });
}
