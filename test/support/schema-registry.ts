import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const VERSION = '2.6.13.Final';
const ARTIFACT = `io.apicurio:apicurio-registry-app:${VERSION}:tar.gz:all`;
const MAIN_CLASS = 'io.quarkus.runner.GeneratedMain';
/** 142 MB, once; afterwards it is in Maven's cache and in ours. */
const FETCH_LIMIT_MS = 600_000;
const START_LIMIT_MS = 300_000;
const POLL_MS = 200;

/** An Apicurio registry with its schemas in memory, which serves the Confluent API. */
export class SchemaRegistryProcess {
  #child: ChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly dataDir: string,
    readonly port: number,
  ) {}

  /** Fetches the registry the first time, and starts it. */
  static async start(): Promise<SchemaRegistryProcess> {
    const registry = new SchemaRegistryProcess(await fetched(), await mkdtemp(join(tmpdir(), 'sluice-test-registry-')), await freePort());
    await registry.resume();
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/apis/ccompat/v7`;
  }

  /** Starts it, without the schemas that it had; resolves once it answers. */
  async resume(): Promise<void> {
    const options = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-Dquarkus.http.host=127.0.0.1', `-Dquarkus.http.port=${this.port}`];
    const jar = `apicurio-registry-app-${VERSION}-runner.jar`;
    const classPath = `${join(this.folder, jar)}:${join(this.folder, 'lib', '*')}`;
    const child = spawn('java', [...options, '-cp', classPath, MAIN_CLASS], { cwd: this.dataDir, stdio: 'ignore' });
    this.#child = child;
    const end = performance.now() + START_LIMIT_MS;
    while (!(await this.#answers())) {
      if (child.exitCode !== null) throw new Error(`The registry ended with code ${child.exitCode}`);
      if (performance.now() > end) throw new Error('The registry did not start');
      await pause(POLL_MS);
    }
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    return fetch(`${this.url}/subjects`).then(
      (response) => response.ok,
      () => false,
    );
  }
}

async function fetched(): Promise<string> {
  const cache = process.env['SLUICE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice');
  const folder = join(cache, 'schema-registry', VERSION);
  if (await isThere(folder)) return folder;
  const partial = `${folder}.partial-${randomBytes(4).toString('hex')}`;
  await mkdir(partial, { recursive: true });
  try {
    const run = promisify(execFile);
    await run('mvn', ['-B', '-q', 'dependency:copy', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${partial}`], {
      timeout: FETCH_LIMIT_MS,
    });
    const archive = join(partial, `apicurio-registry-app-${VERSION}-all.tar.gz`);
    await run('tar', ['-xzf', archive, '-C', partial], { timeout: FETCH_LIMIT_MS });
    await rm(archive);
    await rename(partial, folder).catch(async (error: unknown) => {
      // Another process was faster.
      if (!(await isThere(folder))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port was given');
  return address.port;
}
