import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cpuSeconds } from '../support/cpu-time.js';
import { freePort, until } from '../support/sluice-cluster.js';

/** Names the folder with the jars of Kafka Connect and of a Kafka broker. */
export const PEER_VARIABLE = 'PEER_KAFKA_CONNECT';

const BROKER = ['-Xmx768m', '-Dkafka.logs.dir=.'];
const WORKER = ['-Xmx768m'];
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 30_000;

interface KafkaProcess {
  readonly child: ChildProcess;
  readonly exit: Promise<unknown>;
  readonly log: string;
}

/** One Kafka broker and one distributed worker of Kafka Connect, with the settings that they have by themselves. */
export class KafkaConnect {
  readonly #started: KafkaProcess[] = [];
  #listener = 0;

  private constructor(
    /** The folder of the jars. */
    readonly jars: string,
    private readonly directory: string,
    private readonly url: string,
  ) {}

  /**
   * Starts both, in a new folder, from the jars that the variable {@link PEER_VARIABLE} names. Returns `undefined` where it is not set.
   *
   * @throws Error for a folder without the jars
   */
  static async start(directory: string): Promise<KafkaConnect | undefined> {
    const jars = process.env[PEER_VARIABLE];
    if (jars === undefined || jars === '') return undefined;
    if (!existsSync(jars) || !readdirSync(jars).some((file) => /^connect-runtime-.*\.jar$/.test(file))) {
      throw new Error(`${PEER_VARIABLE}: ${jars} given; allowed is a folder with the jars of Kafka Connect, see test/bench/kafka-connect`);
    }
    await mkdir(directory);
    const started = new KafkaConnect(jars, directory, `http://127.0.0.1:${await freePort()}`);
    try {
      await started.#start();
    } catch (error) {
      await started.close();
      throw error;
    }
    return started;
  }

  /** Where clients find the broker. */
  get bootstrap(): string {
    return `127.0.0.1:${this.#listener}`;
  }

  /** CPU seconds of the worker so far, user and system. */
  get cpu(): number {
    return cpuSeconds(this.#process(1).child.pid ?? 0);
  }

  /** The same of the broker. */
  get brokerCpu(): number {
    return cpuSeconds(this.#process(0).child.pid ?? 0);
  }

  /** Posts a connector and waits until its task runs. @throws Error when it is refused, or its task fails */
  async post(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const { status, text } = await this.#request('POST', '/connectors', { name, config });
    if (status !== 201) throw new Error(`Kafka Connect refuses ${name}: ${text}`);
    await until(`task ${name}-0 of Kafka Connect is RUNNING`, async () => {
      const answer = await this.#request('GET', `/connectors/${name}/status`);
      if (answer.status !== 200) return false;
      const { tasks } = JSON.parse(answer.text) as { readonly tasks: readonly { readonly state: string; readonly trace?: string }[] };
      if (tasks[0]?.state === 'FAILED') throw new Error(`task ${name}-0 of Kafka Connect failed: ${tasks[0].trace ?? ''}`);
      return tasks[0]?.state === 'RUNNING';
    });
  }

  async delete(name: string): Promise<void> {
    const { status, text } = await this.#request('DELETE', `/connectors/${name}`);
    if (status !== 204) throw new Error(`Kafka Connect keeps ${name}: ${text}`);
  }

  /** Ends both, the worker first. */
  async close(): Promise<void> {
    for (const { child, exit } of this.#started.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await exit;
      clearTimeout(late);
    }
  }

  async #start(): Promise<void> {
    const [listener, controller] = [await freePort(), await freePort()];
    this.#listener = listener;
    const broker = this.#write('broker.properties', brokerSettings(listener, controller, join(this.directory, 'data')));
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qk', '-c', broker];
    await promisify(execFile)('java', ['-cp', join(this.jars, '*'), ...format], { timeout: START_LIMIT_MS });
    this.#run('broker', [...BROKER, '-cp', join(this.jars, '*'), 'kafka.Kafka', broker]);
    const isListening = (): Promise<boolean> => {
      this.#process(0);
      return listens(listener);
    };
    await until('the Kafka broker listens', isListening, START_LIMIT_MS);
    const worker = this.#write('worker.properties', workerSettings(listener, this.url));
    this.#run('worker', [...WORKER, '-cp', join(this.jars, '*'), 'org.apache.kafka.connect.cli.ConnectDistributed', worker]);
    const isUp = async (): Promise<boolean> => (await this.#request('GET', '/connectors').catch(() => undefined))?.status === 200;
    await until('Kafka Connect answers', isUp, START_LIMIT_MS, () => this.#process(1).log);
  }

  #write(name: string, settings: Readonly<Record<string, string | number>>): string {
    const file = join(this.directory, name);
    writeFileSync(
      file,
      Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
    return file;
  }

  #run(name: string, args: readonly string[]): void {
    const file = join(this.directory, `${name}.log`);
    const out = openSync(file, 'a');
    const child = spawn('java', args, { cwd: this.directory, stdio: ['ignore', out, out] });
    this.#started.push({
      child,
      exit: once(child, 'exit'),
      get log() {
        return readFileSync(file, 'utf8').slice(-100_000);
      },
    });
  }

  #process(at: number): KafkaProcess {
    const found = this.#started[at];
    if (found === undefined) throw new Error('Kafka does not run');
    if (found.child.exitCode !== null) throw new Error(`a process of Kafka has ended: ${found.log.slice(-2_000)}`);
    return found;
  }

  async #request(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly text: string }> {
    const content = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${this.url}${path}`, { method, ...content, signal: AbortSignal.timeout(30_000) });
    return { status: response.status, text: await response.text() };
  }
}

/** Kafka logs nothing without a library of its user's choice: only its port shows that it is up. */
async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** One node for everything needs one replica of each topic; all other settings are Kafka's own. */
function brokerSettings(listener: number, controller: number, data: string): Readonly<Record<string, string | number>> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${listener},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${listener}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': data,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
  };
}

function workerSettings(listener: number, url: string): Readonly<Record<string, string | number>> {
  const topic = (name: string): Readonly<Record<string, string | number>> => ({
    [`${name}.storage.topic`]: `connect-${name}`,
    [`${name}.storage.replication.factor`]: 1,
  });
  return {
    'bootstrap.servers': `127.0.0.1:${listener}`,
    'group.id': 'bench',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    ...topic('offset'),
    ...topic('config'),
    ...topic('status'),
    'offset.storage.partitions': 1,
    'status.storage.partitions': 1,
    listeners: url,
  };
}
