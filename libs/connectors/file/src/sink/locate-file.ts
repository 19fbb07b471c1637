import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** As many as Linux follows. */
const maxLinks = 40;

/**
 * Finds the place of a file that may not exist yet, so that all names of it meet at one lock: links are followed, also those to a file that is
 * still to be made.
 *
 * @throws what the system says where its folder is missing or cannot be entered
 */
export async function locateFile(name: string): Promise<string> {
  let path = resolve(name);
  for (let links = 0; links <= maxLinks; links += 1) {
    const place = join(await realpath(dirname(path)), basename(path));
    const target = await readlink(place).catch(() => undefined);
    if (target === undefined) return place;
    path = resolve(dirname(place), target);
  }
  throw new Error(`its name leads through more than ${maxLinks} symbolic links: remove the loop`);
}
