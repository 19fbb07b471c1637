// Counts the JVMs that a test run starts, because they cost most of its time.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/**
 * Puts a `java` before the installed one that notes which spec file starts it, in the environment of this process.
 * Returns what removes it; does nothing where no Java is found.
 */
export function countJavaStarts(env = process.env) {
  const home = env.JAVA_HOME ? [join(env.JAVA_HOME, 'bin')] : [];
  const java = [...home, ...(env.PATH ?? '').split(delimiter)].map((folder) => join(folder, 'java')).find((file) => existsSync(file));
  if (java === undefined || process.platform === 'win32') return () => undefined;
  const real = realpathSync(java);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-java-'));
  const bin = join(folder, 'bin');
  const starts = join(folder, 'starts');
  writeFileSync(starts, '');
  mkdirSync(bin);
  for (const name of readdirSync(dirname(real))) {
    if (name !== 'java') symlinkSync(join(dirname(real), name), join(bin, name));
  }
  // Says the version of the installed one to those who need not run it for that.
  symlinkSync(join(dirname(real), '..', 'release'), join(folder, 'release'));
  writeFileSync(join(bin, 'java'), `#!/bin/sh\necho "\${SLUICE_SPEC_FILE:-the set-up}" >>'${starts}'\nexec '${real}' "$@"\n`, {
    mode: 0o755,
  });
  env.PATH = `${bin}${delimiter}${env.PATH ?? ''}`;
  if (env.JAVA_HOME) env.JAVA_HOME = folder;
  env.SLUICE_JAVA_STARTS = starts;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** How often each spec file has started a JVM; empty where nobody counts. */
export function javaStarts(env = process.env) {
  const counts = new Map();
  const file = env.SLUICE_JAVA_STARTS;
  for (const spec of file === undefined ? [] : readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
    counts.set(spec, (counts.get(spec) ?? 0) + 1);
  }
  return counts;
}
