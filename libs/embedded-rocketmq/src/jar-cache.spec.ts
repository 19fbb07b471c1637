import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cacheDir, ensureJars } from './jar-cache.js';

describe('cacheDir', () => {
  it('prefers SLUICE_CACHE, then XDG_CACHE_HOME', () => {
    expect(cacheDir({ SLUICE_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheDir({ SLUICE_CACHE: '', XDG_CACHE_HOME: '/b' })).toBe('/b/sluice');
    expect(cacheDir({})).toMatch(/\/\.cache\/sluice$/);
  });
});

describe('ensureJars', () => {
  let root: string;
  let env: NodeJS.ProcessEnv;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'sluice-jars-'));
    await mkdir(join(root, 'bin'));
    env = { PATH: `${join(root, 'bin')}:/usr/bin:/bin`, SLUICE_CACHE: join(root, 'cache') };
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  /** An `mvn` that notes its call, makes the output folder `$dir` and then does `script`. */
  async function installMaven(script: string): Promise<void> {
    const maven = join(root, 'bin', 'mvn');
    const findDir = 'for a in "$@"; do case $a in -DoutputDirectory=*) dir=${a#*=};; esac; done; mkdir -p "$dir"';
    await writeFile(maven, `#!/bin/sh\necho called "$@" >> '${root}/calls'\n${findDir}\n${script}\n`);
    await chmod(maven, 0o755);
  }

  const COPY_ALL = 'for n in namesrv broker proxy tools; do echo jar > "$dir/rocketmq-$n-5.5.0.jar"; done';

  it('fetches once for callers that come at the same time, and not again later', async () => {
    await installMaven(COPY_ALL);
    const [first, second] = await Promise.all([ensureJars({ env }), ensureJars({ env })]);
    expect(second).toEqual(first);
    expect(await ensureJars({ env })).toEqual(first);
    expect((await readFile(join(root, 'calls'), 'utf8')).split('\n')).toHaveLength(2);
    expect(await readdir(first.libDir)).toHaveLength(4);
  });

  it('keeps each version in a folder of its own and asks Maven for what that version has', async () => {
    const copyOld = 'for n in namesrv broker tools; do echo jar > "$dir/rocketmq-$n-4.9.7.jar"; done';
    await installMaven(`${COPY_ALL}\n${copyOld}`);
    const newest = await ensureJars({ env });
    const old = await ensureJars({ env, version: '4.9.7' });
    expect(newest.version).toBe('5.5.0');
    expect(old.libDir).not.toBe(newest.libDir);
    const [first, second] = (await readFile(join(root, 'calls'), 'utf8')).split('\n');
    expect(first).toContain('-Drocketmq.version=5.5.0 -P proxy,load-generators');
    expect(second).toContain('-Drocketmq.version=4.9.7');
    expect(second).not.toContain(' -P ');
  });

  it('leaves nothing that looks complete when Maven fails, shows its errors, and succeeds the next time', async () => {
    await installMaven(`${COPY_ALL}\necho '[INFO] Scanning'\necho '[ERROR] Could not transfer artifact'\nexit 1`);
    const failure = ensureJars({ env });
    await expect(failure).rejects.toMatchObject({
      code: 'JARS_NOT_FETCHED',
      retriable: true,
      message: `${join(root, 'bin', 'mvn')} ended with exit code 1:\n[ERROR] Could not transfer artifact`,
    });
    expect(await readdir(join(root, 'cache', 'rocketmq'))).toEqual([]);
    await installMaven(COPY_ALL);
    await expect(ensureJars({ env })).resolves.toMatchObject({ version: '5.5.0' });
  });

  it('does not accept an incomplete set of jars from a Maven that claims success', async () => {
    await installMaven('echo jar > "$dir/rocketmq-broker-5.5.0.jar"');
    await expect(ensureJars({ env })).rejects.toMatchObject({
      code: 'JARS_NOT_FETCHED',
      message: expect.stringContaining('rocketmq-namesrv-5.5.0.jar'),
    });
  });

  it('names Maven as what is missing', async () => {
    await expect(ensureJars({ env: { ...env, PATH: join(root, 'bin') } })).rejects.toMatchObject({
      code: 'MAVEN_MISSING',
    });
  });

  it('ends Maven and rejects with the reason when it is cancelled', async () => {
    await installMaven('exec sleep 60');
    const abort = new AbortController();
    const fetching = ensureJars({
      env,
      signal: abort.signal,
      onProgress: () => {
        abort.abort(new Error('no longer wanted'));
      },
    });
    await expect(fetching).rejects.toThrow('no longer wanted');
  });
});
