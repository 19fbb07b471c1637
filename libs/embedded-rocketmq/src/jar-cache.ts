import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';
import { copyDependencies } from './maven.js';

const POM = fileURLToPath(new URL('../pom.xml', import.meta.url));
const EXPECTED_ARTIFACTS = ['rocketmq-namesrv', 'rocketmq-broker', 'rocketmq-proxy', 'rocketmq-tools'];

export interface JarCacheOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((line: string) => void) | undefined;
}

export interface Jars {
  readonly version: string;
  /** The folder with nothing but the jars. */
  readonly libDir: string;
}

/** `SLUICE_CACHE`, else `$XDG_CACHE_HOME/sluice`, else `~/.cache/sluice`. */
export function cacheDir(env: NodeJS.ProcessEnv): string {
  const chosen = env['SLUICE_CACHE'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const base = env['XDG_CACHE_HOME'];
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'sluice');
}

/** The `rocketmq.version` property of the pom. Throws Error when it is missing. */
export function pomVersion(pom: string): string {
  const version = /<rocketmq\.version>([^<]+)<\/rocketmq\.version>/.exec(pom)?.[1];
  if (version === undefined) throw new Error('pom.xml has no <rocketmq.version>');
  return version;
}

/**
 * The jars of the package's pom.xml, fetched with Maven the first time (some 150 files, 100 MB) and kept in the cache.
 * Fetched into a temporary folder that is renamed when complete, under a lock, so any number of callers may come at once.
 * Throws EmbeddedRocketmqError `MAVEN_MISSING` or `JARS_NOT_FETCHED`; rejects with the signal's reason.
 */
export async function ensureJars(options: JarCacheOptions = {}): Promise<Jars> {
  const pom = await readFile(POM, 'utf8');
  const version = pomVersion(pom);
  const folder = `${version}-${createHash('sha256').update(pom).digest('hex').slice(0, 12)}`;
  const jars: Jars = { version, libDir: join(cacheDir(options.env ?? process.env), 'rocketmq', folder, 'lib') };
  if (await isComplete(jars)) return jars;
  const parent = dirname(dirname(jars.libDir));
  await mkdir(parent, { recursive: true });
  const release = await acquireLock(jars.libDir, {
    signal: options.signal,
    onWait: () => options.onProgress?.('another process is fetching the RocketMQ jars: waiting for it'),
  });
  try {
    if (await isComplete(jars)) return jars;
    await fetchInto(parent, folder, jars, options);
    return jars;
  } finally {
    await release();
  }
}

async function fetchInto(parent: string, folder: string, jars: Jars, options: JarCacheOptions): Promise<void> {
  const temporaryPrefix = `.${folder}.partial-`;
  for (const entry of await readdir(parent)) {
    if (entry.startsWith(temporaryPrefix)) await rm(join(parent, entry), { recursive: true, force: true });
  }
  const temporary = join(parent, `${temporaryPrefix}${randomBytes(4).toString('hex')}`);
  try {
    options.onProgress?.(`fetching the jars of RocketMQ ${jars.version} with Maven (once, about 100 MB)`);
    await copyDependencies({
      pom: POM,
      outputDir: join(temporary, 'lib'),
      env: options.env ?? process.env,
      signal: options.signal,
      onProgress: options.onProgress,
    });
    const missing = await missingArtifacts({ ...jars, libDir: join(temporary, 'lib') });
    if (missing.length > 0) {
      throw new EmbeddedRocketmqError('JARS_NOT_FETCHED', `Maven ended well but copied no ${missing.join(', no ')}`);
    }
    await rm(join(parent, folder), { recursive: true, force: true });
    await rename(temporary, join(parent, folder));
    options.onProgress?.(`jars are in ${jars.libDir}`);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function isComplete(jars: Jars): Promise<boolean> {
  return (await missingArtifacts(jars)).length === 0;
}

async function missingArtifacts(jars: Jars): Promise<string[]> {
  const present = new Set(await readdir(jars.libDir).catch(() => []));
  return EXPECTED_ARTIFACTS.map((artifact) => `${artifact}-${jars.version}.jar`).filter((jar) => !present.has(jar));
}
