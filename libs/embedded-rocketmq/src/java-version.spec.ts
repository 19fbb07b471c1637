import { describe, expect, it } from '@jest/globals';
import { parseJavaBuild, parseJavaMajor } from './java-version.js';

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
