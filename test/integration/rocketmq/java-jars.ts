import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The newest of RocketMQ's jars that the embedded RocketMQ keeps in its cache. */
export async function jarDir(): Promise<string> {
  const { SLUICE_CACHE, XDG_CACHE_HOME } = process.env;
  const cache = join(SLUICE_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sluice'), 'rocketmq');
  const versions = (await readdir(cache)).filter((name) => /^\d/.test(name)).sort();
  const newest = versions.at(-1);
  if (newest === undefined) throw new Error(`no jars of RocketMQ in ${cache}: start the embedded RocketMQ once`);
  return join(cache, newest, 'lib');
}
