import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { acquireLock } from './exclusive-lock.js';
import { copyDependencies } from './maven.js';
import { DEFAULT_ROCKETMQ_VERSION, type RocketmqVersion, versionTraits } from './rocketmq-version.js';

const POM = fileURLToPath(new URL('../pom.xml', import.meta.url));
const EXPECTED_ARTIFACTS = ['rocketmq-namesrv', 'rocketmq-broker', 'rocketmq-tools'];

export interface JarCacheOptions {
  /** 5.5.0 by default. */
  readonly version?: RocketmqVersion;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((line: string) => void) | undefined;
}

export interface Jars {
  readonly version: RocketmqVersion;
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

/**
 * Returns the jars of a RocketMQ version, fetched with Maven the first time (up to 150 files, 100 MB) and kept in the
 * cache. Fetches into a temporary folder, which it renames when complete, under a lock. So any number of callers may come at once. Throws
 * EmbeddedRocketmqError `MAVEN_MISSING` or `JARS_NOT_FETCHED`; rejects with the signal's reason.
 */
export async function ensureJars(options: JarCacheOptions = {}): Promise<Jars> {
  const pom = await readFile(POM, 'utf8');
  const version = options.version ?? DEFAULT_ROCKETMQ_VERSION;
  const folder = `${version}-${createHash('sha256').update(pom).digest('hex').slice(0, 12)}`;
  const jars: Jars = { version, libDir: join(cacheDir(options.env ?? process.env), 'rocketmq', folder, 'lib') };
  if (await isComplete(jars)) return jars;
  const parent = dirname(dirname(jars.libDir));
  await mkdir(parent, { recursive: true });
  const release = await acquireLock(jars.libDir, {
    signal: options.signal,
    onWait: () => options.onProgress?.(`another process is fetching the jars of RocketMQ ${version}: waiting for it`),
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
      version: jars.version,
      profiles: versionTraits(jars.version).mavenProfiles,
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
  const artifacts = versionTraits(jars.version).hasProxy ? [...EXPECTED_ARTIFACTS, 'rocketmq-proxy'] : EXPECTED_ARTIFACTS;
  return artifacts.map((artifact) => `${artifact}-${jars.version}.jar`).filter((jar) => !present.has(jar));
}
