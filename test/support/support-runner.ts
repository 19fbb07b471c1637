import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until, type SluiceCluster } from './sluice-cluster.js';

/** A runner beside a cluster, with connectors that only specs need. */
export class SupportRunner {
  log = '';
  /** Its exit code once it has ended. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;

  constructor(
    private readonly cluster: SluiceCluster,
    /** Its built module. */
    module: URL,
    readonly id: string,
    settings: Readonly<Record<string, string>> = {},
  ) {
    const child = spawn(process.execPath, [fileURLToPath(module)], {
      env: {
        ...process.env,
        ...cluster.environment,
        SLUICE_STORE_PATH: cluster.path('store'),
        SLUICE_NODE_ID: id,
        SLUICE_HTTP_PORT: '0',
        NODE_OPTIONS: '',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    this.exited = new Promise((resolve) => child.once('exit', resolve));
    this.#child = child;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Creates a connector as soon as the runner has reported its plugins. */
  async create(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    await until(
      `${name} is created`,
      async () => (await this.cluster.request('POST', '/connectors', { name, config })).status === 201,
      180_000,
      () => this.log,
    );
  }
}
