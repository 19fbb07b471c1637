import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts, startCluster, type RunningCluster } from '@sluice/embedded-rocketmq';
import { RocketMqClient } from '@sluice/rocketmq';
import { firstBroker } from './create-cluster.js';

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'sluice-e2e-'));

export type RoleName = 'gateway' | 'coordinator' | 'source-runner' | 'sink-runner';

/** The same from the sources and from the built files. */
export const repositoryRoot = rootAbove(fileURLToPath(new URL('.', import.meta.url)));
const POLL_MS = 50;

function rootAbove(directory: string): string {
  return existsSync(join(directory, 'nest-cli.json')) ? directory : rootAbove(dirname(directory));
}

/** Resolves when `condition` gives something; fails with what `describe` says when it does not in time. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 90_000,
  describe: () => string = () => '',
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs} ms. ${describe()}`);
    await delay(POLL_MS);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Headers;
}

/** The bundle of this run, where one was made; else the built code. */
function programOf(app: RoleName | 'cli'): string {
  const bundles = process.env['SLUICE_ROLE_BUNDLES'];
  return bundles === undefined ? join(repositoryRoot, 'apps', app, 'dist/main.js') : join(bundles, app, 'app/dist/role/main.mjs');
}

/** One role as a child process, as a container would run it. */
export class RoleHandle {
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);

  constructor(
    readonly role: RoleName,
    readonly id: string,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly logFile: string,
    private readonly program: readonly string[] = [programOf(role)],
  ) {}

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.id} does not run`);
    return this.#child.pid;
  }

  get log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  /** The last line of its log that is not part of a stack. */
  get lastWords(): string {
    const lines = this.log.trimEnd().split('\n');
    return lines.findLast((line) => !line.startsWith(' ')) ?? '';
  }

  start(): void {
    const child = spawn(process.execPath, [...this.program], {
      env: { ...process.env, SLUICE_NODE_ID: this.id, ...this.environment, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const log = createWriteStream(this.logFile, { flags: 'a' });
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    this.#child = child;
    this.#exited = new Promise((resolve) =>
      child.once('exit', (code) => {
        resolve(code);
      }),
    );
  }

  /** Sends a signal; after one that ends the process, waits for its end and gives the exit code. */
  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.#child?.kill(signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return null;
    const code = await this.#exited;
    this.#child = undefined;
    return code;
  }

  /** Exit code of the last process once it has ended; null after a signal. */
  get ended(): Promise<number | null> {
    return this.#exited;
  }

  /** Its last process ended, and nobody had asked it to. */
  get hasEndedByItself(): boolean {
    return this.#child !== undefined && !this.isRunning;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }
}

export interface CliAnswer {
  readonly code: number | null;
  readonly output: string;
}

/** Where a RocketMQ cluster answers. */
export type RocketmqServers = Pick<RunningCluster, 'namesrv' | 'grpc' | 'brokerName'>;

/** The cluster that the set-up of the specs has started for all of them. */
async function sharedRocketmq(): Promise<RocketmqServers> {
  const { SLUICE_TEST_NAMESRV: namesrv, SLUICE_TEST_GRPC: grpc } = process.env;
  if (namesrv === undefined || grpc === undefined) throw new Error('no shared RocketMQ: jest starts it for e2e specs');
  const client = RocketMqClient.open({ namesrv });
  try {
    return { namesrv, grpc, brokerName: await firstBroker(client) };
  } finally {
    await client.close();
  }
}

/** A Connect cluster of real processes. */
export class SluiceCluster<Rocketmq extends RocketmqServers = RocketmqServers> {
  readonly roles: RoleHandle[] = [];

  private constructor(
    readonly clusterId: string,
    readonly directory: string,
    readonly rocketmq: Rocketmq,
    readonly url: string,
    private readonly endRocketmq: () => Promise<void>,
  ) {}

  /**
   * Starts one of each role beside the RocketMQ that all specs share, and waits until connectors can be posted.
   *
   * @param settings environment variables of each role, by the folder of the cluster
   */
  static async start(settings: (folder: string) => Readonly<Record<string, string>> = () => ({})): Promise<SluiceCluster> {
    const rocketmq = await sharedRocketmq();
    const clusterId = `e2e-${randomBytes(4).toString('hex')}`;
    const folder = newDirectory();
    return SluiceCluster.#startBeside(clusterId, rocketmq, folder, () => Promise.resolve(), settings(folder));
  }

  /** The same beside a RocketMQ of its own, for who stops its servers, deletes from it or measures. Its cluster is `default`. */
  static async startIsolated(): Promise<IsolatedCluster> {
    const directory = newDirectory();
    const dataDir = join(directory, 'rocketmq');
    const rocketmq = await startCluster({ name: 'e2e', dataDir, ports: await freePorts() });
    return SluiceCluster.#startBeside('default', rocketmq, directory, () => rocketmq.kill());
  }

  static async #startBeside<R extends RocketmqServers>(
    clusterId: string,
    rocketmq: R,
    directory: string,
    endRocketmq: () => Promise<void>,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<SluiceCluster<R>> {
    const url = `http://127.0.0.1:${await freePort()}`;
    const cluster = new SluiceCluster(clusterId, directory, rocketmq, url, endRocketmq);
    try {
      await cluster.#init();
      for (const role of ['gateway', 'coordinator', 'source-runner', 'sink-runner'] as const)
        cluster.add(role, `${role}-1`, settings).start();
      await cluster.untilReady();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** @param program a built module with its arguments, in place of the role's own */
  add(role: RoleName, id: string, changed: Readonly<Record<string, string>> = {}, program?: readonly string[]): RoleHandle {
    const handle = new RoleHandle(
      role,
      id,
      {
        ...this.environment,
        SLUICE_STORE_PATH: join(this.directory, 'store'),
        SLUICE_PERSIST_INTERVAL_MS: '1000',
        SLUICE_HTTP_PORT: role === 'gateway' ? new URL(this.url).port : '0',
        ...changed,
      },
      join(this.directory, `${id}.log`),
      program,
    );
    this.roles.push(handle);
    return handle;
  }

  /** What leads a process to this cluster. */
  get environment(): Readonly<Record<string, string>> {
    const { namesrv, grpc } = this.rocketmq;
    return { SLUICE_CLUSTER_ID: this.clusterId, SLUICE_NAMESRV: namesrv, SLUICE_GRPC: grpc };
  }

  /** A topic's name that no other cluster beside the same RocketMQ uses. */
  topic(name: string): string {
    return `${this.clusterId}-${name}`;
  }

  role(id: string): RoleHandle {
    const handle = this.roles.find((role) => role.id === id);
    if (handle === undefined) throw new Error(`no role ${id}`);
    return handle;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async untilReady(): Promise<void> {
    await until(
      'connectors can be posted',
      async () => {
        const ready = await this.request('GET', '/health/ready').catch(() => undefined);
        if (ready?.status !== 200) return false;
        const plugins = (await this.request('GET', '/connector-plugins')).body as { class: string }[];
        return plugins.some((p) => p.class === 'FileStreamSource') && plugins.some((p) => p.class === 'FileStreamSink');
      },
      180_000,
      () => this.roles.map((role) => `\n--- ${role.id}\n${role.log.slice(-1500)}`).join(''),
    );
  }

  async request(method: string, path: string, body?: unknown): Promise<RestAnswer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : {
            headers: { 'content-type': 'application/json' },
            body: typeof body === 'string' ? body : JSON.stringify(body),
          }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
      headers: response.headers,
    };
  }

  /** Waits until the connector's first task is in a state; fails at once, with its trace, when the task has failed. */
  async untilTask(connector: string, state: string, workerId?: string, timeoutMs = 90_000): Promise<void> {
    let last = '';
    await until(
      `task ${connector}-0 is ${state}`,
      async () => {
        const answer = await this.request('GET', `/connectors/${connector}/status`);
        last = JSON.stringify(answer.body);
        const task = (answer.body as { tasks?: { state: string; worker_id: string; trace?: string }[] }).tasks?.[0];
        if (task?.state === 'FAILED' && state !== 'FAILED') throw new Error(`task ${connector}-0 failed: ${task.trace ?? ''}`);
        return task?.state === state && (workerId === undefined || task.worker_id === workerId);
      },
      timeoutMs,
      () => last,
    );
  }

  /** Ends everything; the directory stays when `keep` is set. */
  async close(keep = process.env['SLUICE_KEEP'] !== undefined): Promise<void> {
    await Promise.all(this.roles.filter((role) => role.isRunning).map((role) => role.kill('SIGKILL')));
    await this.endRocketmq();
    if (!keep) rmSync(this.directory, { recursive: true, force: true });
  }

  /** Runs the `sluice` command beside this cluster. */
  cli(...args: readonly string[]): Promise<CliAnswer> {
    return this.cliWith({}, ...args);
  }

  async cliWith(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<CliAnswer> {
    const child = spawn(process.execPath, [programOf('cli'), ...args], {
      env: { ...process.env, ...this.environment, ...environment, NODE_OPTIONS: '' },
      stdio: 'pipe',
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, output };
  }

  async #init(): Promise<void> {
    const { code, output } = await this.cli('init', '--new', '--broker', this.rocketmq.brokerName);
    if (code !== 0) throw new Error(`sluice init failed: ${output}`);
  }
}

/** A Connect cluster that has its RocketMQ for itself, and may stop its servers. */
export type IsolatedCluster = SluiceCluster<RunningCluster>;
