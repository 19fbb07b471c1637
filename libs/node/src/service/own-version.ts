import { readFileSync } from 'node:fs';

/** Reads the version of this package: all packages of a build have the same. */
export function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return version;
}
