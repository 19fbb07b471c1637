import type { AddressInfo } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ConfigCipher } from '@sluice/node';
import { createGateway } from './create-gateway.js';
import { GatewayModule } from '../gateway.module.js';
import type { GatewaySettings } from '../settings/gateway-settings.js';
import type { ClusterLoggers, LoggerLevel, LoggersAnswer, LogLevel } from '../ports/gateway-ports.js';
import { ClusterView } from '../view/cluster-view.js';
import { fileSink, fileSource, stringConverter } from './file-plugins.js';
import { InMemoryCluster } from './in-memory-cluster.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

const defaults: GatewaySettings = {
  version: '0.1.0',
  commit: 'abc',
  requestTimeoutMs: 20_000,
  maxStalenessMs: 30_000,
  maxBodyBytes: 64 * 1024,
  completedAs: 'COMPLETED',
};

export interface GatewayClientOptions {
  readonly runners?: boolean;
  readonly requestTimeoutMs?: number;
  readonly completedAs?: GatewaySettings['completedAs'];
  /** Of the gateway and its runners. */
  readonly cipher?: ConfigCipher;
}

/** Has the loggers `root` and `log` in this process, and `tasks` in others. */
export class FakeLoggers implements ClusterLoggers {
  readonly #own = new Map<string, LoggerLevel>(['root', 'log'].map((name) => [name, { level: 'INFO', modifiedAt: undefined }]));
  readonly onOthers: string[] = [];
  unanswered: readonly string[] = [];

  all(): ReadonlyMap<string, LoggerLevel> {
    return this.#own;
  }

  set(name: string, level: LogLevel): readonly string[] {
    if (!this.#own.has(name)) return [];
    this.#own.set(name, { level, modifiedAt: Date.now() });
    return [name];
  }

  setOnOthers(name: string, level: LogLevel): Promise<LoggersAnswer> {
    this.onOthers.push(`${name} ${level}`);
    return Promise.resolve({ changed: ['root', 'tasks'].includes(name) ? [name] : [], unanswered: this.unanswered });
  }
}

/** Runs a gateway on a free port, and the cluster behind it, and sends requests to it. */
export class GatewayClient {
  private constructor(
    readonly cluster: InMemoryCluster,
    readonly app: NestExpressApplication,
    readonly baseUrl: string,
    readonly loggers: FakeLoggers,
    /** What the gateway has logged at INFO. */
    readonly informed: readonly string[],
    /** What the gateway has warned of. */
    readonly warned: readonly string[],
  ) {}

  /** Starts a gateway, with a source runner and a sink runner unless `runners` is false. */
  static async start(options: GatewayClientOptions = {}): Promise<GatewayClient> {
    const { requestTimeoutMs, completedAs, cipher } = { ...defaults, cipher: new ConfigCipher('c', undefined), ...options };
    const settings = { ...defaults, requestTimeoutMs, completedAs };
    const cluster = new InMemoryCluster(cipher);
    if (options.runners !== false) {
      cluster.addRunner('w1', 'source', [fileSource, stringConverter]);
      cluster.addRunner('w2', 'sink', [fileSink, stringConverter]);
    }
    const informed: string[] = [];
    const warned: string[] = [];
    const loggers = new FakeLoggers();
    const logger = {
      info: (text: string) => void informed.push(text),
      warn: (text: string) => void warned.push(text),
    };
    const ports = { commands: cluster, plugins: cluster, logger, loggers, cipher };
    const view = new ClusterView(cluster, settings);
    const app = await createGateway(GatewayModule.forPorts(view, ports, settings), settings);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return new GatewayClient(cluster, app, `http://127.0.0.1:${port}`, loggers, informed, warned);
  }

  stop(): Promise<void> {
    return this.app.close();
  }

  get(path: string): Promise<Answer> {
    return this.send('GET', path);
  }

  post(path: string, body?: unknown): Promise<Answer> {
    return this.send('POST', path, body);
  }

  put(path: string, body?: unknown): Promise<Answer> {
    return this.send('PUT', path, body);
  }

  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    return this.sendText(method, path, body === undefined ? undefined : JSON.stringify(body), 'application/json');
  }

  async sendText(
    method: string,
    path: string,
    text: string | undefined,
    contentType: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const content = text === undefined ? {} : { body: text, headers: { ...headers, 'content-type': contentType } };
    const response = await fetch(this.baseUrl + path, { method, headers, ...content });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, body: answer === '' ? undefined : JSON.parse(answer) };
  }

  /** Creates a connector that is right. */
  async createSource(name: string, config: Readonly<Record<string, string>> = {}): Promise<void> {
    const full = { 'connector.class': 'FileStreamSource', topic: 't', ...config };
    const answer = await this.post('/connectors', { name, config: full });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  }
}

export function errorBody(code: number, message: unknown): { error_code: number; message: unknown } {
  return { error_code: code, message };
}
