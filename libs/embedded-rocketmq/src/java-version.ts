/**
 * Returns the feature release in what `java -version` prints: 17 for `openjdk version "17.0.15" 2025-04-15`, 8 for
 * `java version "1.8.0_392"`, 21 for `openjdk version "21-ea"`. Undefined where no version line is found.
 */
export function parseJavaMajor(banner: string): number | undefined {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(banner);
  if (match === null) return undefined;
  const first = Number(match[1]);
  if (first !== 1) return first;
  return match[2] === undefined ? undefined : Number(match[2]);
}

/** Returns the builds that `java -version` prints, without the options and modes of the moment: `17.0.15+6-Debian-1,…`. */
export function parseJavaBuild(banner: string): string {
  return [...banner.matchAll(/\(build ([^,)\s]+)/g)].map(([, build]) => build).join();
}
