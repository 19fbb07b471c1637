import * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { FollowedFile as Followed } from './followed-file.js';
import type { LeftFile, RotationWatch as Watch } from './rotated-files.js';

const { appendFile, mkdtemp, rename, rm, writeFile } = files;

/** Runs once, before the next look at a file of this name. */
let crossing: { readonly path: string; readonly act: () => Promise<void> } | undefined;
jest.unstable_mockModule('node:fs/promises', () => ({
  ...files,
  stat: async (path: string, options: object) => {
    const { act } = crossing?.path === path ? crossing : {};
    if (act !== undefined) crossing = undefined;
    await act?.();
    return files.stat(path, options);
  },
}));
const { FollowedFile } = await import('./followed-file.js');
const { findPlace, RotationWatch } = await import('./rotated-files.js');

let folder = '';
let file = '';
let opened: Followed[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-rotation-'));
  file = join(folder, 'app.log');
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const each of opened) await each.close().catch(() => undefined);
  opened = [];
  await rm(folder, { recursive: true, force: true });
});

/** Moves every file by one name, as logrotate does, and makes a new one. */
async function rotate(content: string): Promise<void> {
  for (const number of [2, 1]) await rename(`${file}.${number}`, `${file}.${number + 1}`).catch(() => undefined);
  await rename(file, `${file}.1`);
  await writeFile(file, content);
}

/** Runs an action between the look at the folder and the next opening of a file. */
function beforeOpening(act: () => Promise<void>): void {
  const open = FollowedFile.open.bind(FollowedFile);
  jest.spyOn(FollowedFile, 'open').mockImplementationOnce(async (...given) => {
    await act();
    return open(...given);
  });
}

/** Runs an action right after the next opening. */
function afterOpening(act: () => Promise<void>): void {
  const open = FollowedFile.open.bind(FollowedFile);
  jest.spyOn(FollowedFile, 'open').mockImplementationOnce(async (...given) => {
    const found = await open(...given);
    await act();
    return found;
  });
}

async function contentOf(followed: Followed | 'absent' | 'other' | undefined): Promise<string> {
  if (!(followed instanceof FollowedFile)) throw new Error(`No file was opened: ${followed}`);
  opened.push(followed);
  const lines: Buffer[] = [];
  while ((await followed.read()) === 'data') followed.take(100, (line) => lines.push(Buffer.from(line)));
  return lines.map((line) => line.toString()).join(' ');
}

/** Follows the named file and leaves it when it has been rotated and `second` has its name. */
async function leaveFirst(watch: Watch): Promise<LeftFile> {
  await writeFile(file, 'first\n');
  const first = await watch.next(undefined);
  expect(await contentOf(first)).toBe('first');
  await rotate('second\n');
  return { ...(await first!.age()), path: file };
}

/** What a task reads that asks for the next file until there is one, as polls do. */
async function read(watch: Watch, left: LeftFile): Promise<string> {
  let found: Followed | undefined;
  for (let poll = 1; poll <= 3 && found === undefined; poll++) found = await watch.next(left);
  return contentOf(found);
}

describe('the file after one that was left', () => {
  let warnings: string[] = [];
  const watchOf = (): Watch => {
    warnings = [];
    return new RotationWatch(file, (text) => warnings.push(text));
  };

  it.each([
    ['before its opening', beforeOpening],
    ['right after its opening', afterOpening],
  ])('is read though another rotation takes its name %s', async (_when, cross) => {
    const watch = watchOf();
    const left = await leaveFirst(watch);
    cross(() => rotate('third\n'));
    expect(await read(watch, left)).toBe('second');
    const [second] = opened.slice(-1);
    expect(await read(watch, { ...(await second!.age()), path: file })).toBe('third');
    expect(warnings).toEqual([]);
  });

  it('is read though a rotation moves it from one rotated name to the next before its opening', async () => {
    const watch = watchOf();
    const left = await leaveFirst(watch);
    await rotate('third\n');
    beforeOpening(() => rotate('fourth\n'));
    expect(await read(watch, left)).toBe('second');
    expect(warnings).toEqual([]);
  });

  it('is read though a rotation crosses the listing that should show it', async () => {
    const watch = watchOf();
    const left = await leaveFirst(watch);
    await rotate('third\n');
    await rm(`${file}.2`);
    // The names were read by then: what moves to the next name is on no list.
    crossing = { path: `${file}.1`, act: () => rotate('fourth\n') };
    expect(await read(watch, left)).toBe('second');
    expect(crossing).toBeUndefined();
  });

  it('is found also where rotations crossed the look around the first file', async () => {
    const watch = watchOf();
    await writeFile(file, 'first\n');
    afterOpening(async () => {
      await rotate('second\n');
      await rotate('third\n');
    });
    const first = await watch.next(undefined);
    expect(await contentOf(first)).toBe('first');
    expect(await read(watch, { ...(await first!.age()), path: file })).toBe('second');
    expect(warnings).toEqual([]);
  });
});

describe('the file of a stored place', () => {
  it('is found though a rotation moves it on before its opening', async () => {
    await writeFile(file, 'first\n');
    const first = await FollowedFile.open(file, { position: 0, print: undefined });
    expect(await contentOf(first)).toBe('first');
    const { place, inode } = first as Followed;
    await appendFile(file, 'rest\n');
    await rotate('second\n');
    beforeOpening(() => rotate('third\n'));
    expect(await contentOf(await findPlace(file, place, inode))).toBe('rest');
  });

  it('is not the file that takes its name before its opening', async () => {
    await writeFile(file, 'first\n');
    const first = await FollowedFile.open(file, { position: 0, print: undefined });
    opened.push(first as Followed);
    const { inode } = first as Followed;
    beforeOpening(() => rotate('other\n'));
    expect(await findPlace(file, { position: 6, print: undefined }, inode)).toBeUndefined();
  });
});
