import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { classArchiveArguments, type ClassArchiveInput, placeClassArchive } from './class-archive.js';

describe('class archive', () => {
  let folder: string;
  let input: ClassArchiveInput;

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'sluice-class-archive-')), 'a -b');
    await mkdir(join(folder, 'lib'), { recursive: true });
    input = {
      javaBuild: '17.0.15+6',
      libDir: join(folder, 'lib'),
      launcherJar: join(folder, 'launcher-1.jar'),
      mayMake: true,
    };
  });

  afterEach(async () => {
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  /** As a JVM does at its end. */
  async function writeArchive(): Promise<string> {
    const [argument = ''] = await classArchiveArguments(input);
    await writeFile(argument.slice('-XX:ArchiveClassesAtExit='.length), 'classes');
    return `java -Xmx1g ${argument} -cp lib Main`;
  }

  it('is made by the JVM that may, and used by all from then on', async () => {
    await placeClassArchive(await writeArchive(), true);
    const [archive = ''] = (await readdir(folder)).filter((name) => name.endsWith('.jsa'));
    const use = [`-XX:SharedArchiveFile=${join(folder, archive)}`];
    await expect(classArchiveArguments(input)).resolves.toEqual(use);
    await expect(classArchiveArguments({ ...input, mayMake: false })).resolves.toEqual(use);
  });

  it('is not made by a JVM that may not', async () => {
    await expect(classArchiveArguments({ ...input, mayMake: false })).resolves.toEqual([]);
  });

  it('of a JVM that was killed is taken away', async () => {
    await placeClassArchive(await writeArchive(), false);
    await expect(readdir(folder)).resolves.toEqual(['lib']);
  });

  it('that nobody put in its place is removed before the next is made', async () => {
    await writeArchive();
    const [abandoned = ''] = (await readdir(folder)).filter((name) => name.includes('.partial-'));
    const [made] = await classArchiveArguments(input);
    expect(made).not.toContain(abandoned);
    await expect(readdir(folder)).resolves.toContain(abandoned);
    await utimes(join(folder, abandoned), 0, 0);
    await classArchiveArguments(input);
    await expect(readdir(folder)).resolves.toEqual(['lib']);
  });

  it('of another Java or launcher is not used', async () => {
    await placeClassArchive(await writeArchive(), true);
    for (const other of [{ javaBuild: '21.0.1+12-29' }, { launcherJar: join(folder, 'launcher-2.jar') }]) {
      const [argument] = await classArchiveArguments({ ...input, ...other });
      expect(argument).toMatch(/^-XX:ArchiveClassesAtExit=/);
    }
  });

  it('is neither made nor used without the launcher', async () => {
    await placeClassArchive(await writeArchive(), true);
    await expect(classArchiveArguments({ ...input, launcherJar: undefined })).resolves.toEqual([]);
  });

  it('asks nothing of a JVM that made none', async () => {
    await placeClassArchive(await writeArchive(), true);
    const before = await readdir(folder);
    await placeClassArchive('java -cp lib Main', true);
    await expect(readdir(folder)).resolves.toEqual(before);
  });
});
