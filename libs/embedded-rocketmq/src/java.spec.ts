import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findJava, parseJavaBuild, parseJavaMajor, parseRelease } from './java.js';

describe('findJava', () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'sluice-java-'));
    await mkdir(join(home, 'bin'));
  });

  afterEach(async () => {
    await rm(home, { recursive: true, force: true });
  });

  async function install(banner: string): Promise<void> {
    const java = join(home, 'bin', 'java');
    await writeFile(java, `#!/bin/sh\necho '${banner}' >&2\n`);
    await chmod(java, 0o755);
  }

  it('takes the java of JAVA_HOME', async () => {
    await install('openjdk version "21.0.1" 2023-10-17\nOpenJDK 64-Bit Server VM (build 21.0.1+12-29, mixed mode)');
    await expect(findJava({ JAVA_HOME: home, PATH: '/usr/bin:/bin' })).resolves.toEqual({
      java: join(home, 'bin', 'java'),
      javac: undefined,
      major: 21,
      build: '21.0.1+12-29',
    });
  });

  it('refuses a Java that is too old and says which one it found', async () => {
    await install('java version "1.8.0_392"');
    await expect(findJava({ PATH: join(home, 'bin') })).rejects.toMatchObject({
      code: 'JAVA_TOO_OLD',
      message: `${join(home, 'bin', 'java')} is Java 8: an embedded RocketMQ needs Java 17 or newer; point JAVA_HOME to one`,
    });
  });

  it('does not run a Java whose installation says its version', async () => {
    await install('java version "1.8.0_392"');
    await writeFile(join(home, 'release'), 'IMPLEMENTOR="Debian"\nJAVA_RUNTIME_VERSION="17.0.15+6-Debian-1"\nJAVA_VERSION="17.0.15"\n');
    const linked = join(home, 'linked');
    await symlink(join(home, 'bin'), linked);
    await expect(findJava({ PATH: linked })).resolves.toMatchObject({ major: 17, build: 'Debian,17.0.15+6-Debian-1' });
    await writeFile(join(home, 'release'), 'JAVA_RUNTIME_VERSION="16.0.2+7"\nJAVA_VERSION="16.0.2"\n');
    await expect(findJava({ PATH: linked })).rejects.toMatchObject({ code: 'JAVA_TOO_OLD' });
  });

  it('says where it looked when there is no Java', async () => {
    await expect(findJava({ JAVA_HOME: join(home, 'nowhere'), PATH: home })).rejects.toMatchObject({
      code: 'JAVA_MISSING',
      message: expect.stringContaining(join(home, 'nowhere')),
    });
  });
});

describe('parseJavaMajor', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6)', 17],
    ['java version "1.8.0_392"\nJava(TM) SE Runtime Environment', 8],
    ['openjdk version "21-ea" 2023-09-19', 21],
    ['Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "11.0.2" 2019-01-15', 11],
    ['java version "9"', 9],
  ])('reads %j as %d', (banner, major) => {
    expect(parseJavaMajor(banner)).toBe(major);
  });

  it('reads nothing from text without a version', () => {
    expect(parseJavaMajor('The operation couldn’t be completed. Unable to locate a Java Runtime.')).toBeUndefined();
  });
});

describe('parseRelease', () => {
  it.each([
    ['nothing', ''],
    ['a release without its build', 'JAVA_VERSION="17.0.15"\n'],
    ['a build without its release', 'JAVA_RUNTIME_VERSION="17.0.15+6"\n'],
  ])('reads no version from %s', (_what, text) => {
    expect(parseRelease(text)).toBeUndefined();
  });

  it('names the virtual machine that the build has', () => {
    const text = 'IMPLEMENTOR="Some"\r\nJAVA_VERSION="21"\r\nJAVA_RUNTIME_VERSION="21+35"\r\nJVM_VARIANT="Openj9"\r\n';
    expect(parseRelease(text)).toEqual({ major: 21, build: 'Some,Openj9,21+35' });
  });
});

describe('parseJavaBuild', () => {
  const banner = (mode: string): string =>
    [
      'NOTE: Picked up JDK_JAVA_OPTIONS: -XX:TieredStopAtLevel=1',
      'openjdk version "17.0.15" 2025-04-15',
      'OpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)',
      `OpenJDK 64-Bit Server VM (build 17.0.15+6-Debian-1deb12u1, ${mode}, sharing)`,
    ].join('\n');

  it('reads the builds of the libraries and of the machine', () => {
    expect(parseJavaBuild(banner('mixed mode'))).toBe('17.0.15+6-Debian-1deb12u1,17.0.15+6-Debian-1deb12u1');
  });

  it('does not depend on options', () => {
    expect(parseJavaBuild(banner('emulated-client mode'))).toBe(parseJavaBuild(banner('mixed mode')));
  });
});
