import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { freePort, until } from '../support/sluice-cluster.js';
import { containersOf, labelled, ROLES, type Container, type Role } from './container.js';
import { docker, type CommandOptions } from './docker.js';

export interface ConnectorStatus {
  readonly type: 'source' | 'sink';
  readonly tasks: readonly { readonly state: string; readonly worker_id: string; readonly trace?: string }[];
}

const BUILD_TIMEOUT_MS = 1_200_000;
const UP_TIMEOUT_MS = 400_000;
const REQUEST_TIMEOUT_MS = 30_000;
const HEALTH_TIMEOUT_MS = 120_000;
const POLL_MS = 300;
let stacks = 0;

/** The repository's compose.yaml as a project of its own, with its REST port on a free one. */
export class ComposeStack {
  private constructor(
    readonly project: string,
    private readonly port: number,
    private readonly signal: AbortSignal,
    private readonly environmentFile: string | undefined,
  ) {}

  static async create(signal: AbortSignal, environmentFile?: string): Promise<ComposeStack> {
    stacks += 1;
    const project = `sluice-test-${process.pid}-${stacks}`;
    return new ComposeStack(project, await freePort(), signal, environmentFile);
  }

  async build(): Promise<void> {
    await this.#compose(['build', '--quiet'], { timeoutMs: BUILD_TIMEOUT_MS });
  }

  /** As a user would do it: everything is up and healthy afterwards, with as many containers of each role as said, else one. */
  async up(scale: Partial<Record<Role, number>> = {}): Promise<void> {
    const scales = Object.entries(scale).flatMap(([role, count]) => ['--scale', `${role}=${count}`]);
    await this.#compose(['up', '--detach', '--wait', ...scales], { timeoutMs: UP_TIMEOUT_MS });
  }

  /** Stops every container in order and leaves them there. */
  async stop(): Promise<void> {
    await this.#compose(['stop']);
  }

  async down(): Promise<void> {
    await this.#compose(['down']);
  }

  /** Restarts one service in order and waits until it is healthy. */
  async restart(service: string): Promise<void> {
    await this.#compose(['restart', service]);
    await this.untilHealthy([service]);
  }

  /** Removes everything, volumes too; works also after the signal. */
  async remove(): Promise<void> {
    await docker([...this.#command, 'down', '--volumes', '--remove-orphans', '--timeout', '5'], {
      environment: this.#environment,
    });
  }

  containers(): Promise<readonly Container[]> {
    return containersOf(this.project);
  }

  /** Those of Sluice that stay up; without the one-shot set-up. */
  async roleContainers(...wanted: readonly Role[]): Promise<readonly Container[]> {
    const names: readonly string[] = wanted.length === 0 ? ROLES : wanted;
    return (await this.containers()).filter(({ service }) => names.includes(service));
  }

  /** The container of a service with the lowest number. */
  async first(wanted: string): Promise<Container> {
    const container = (await this.containers()).find(({ service }) => service === wanted);
    if (container === undefined) throw new Error(`no container of ${wanted}`);
    return container;
  }

  /** Waits until Docker calls every container of these services healthy. */
  async untilHealthy(services: readonly string[] = ROLES): Promise<void> {
    let seen: readonly Container[] = [];
    await until(
      `${services.join(', ')} are healthy`,
      async () => {
        await delay(POLL_MS, undefined, { signal: this.signal });
        seen = (await this.containers()).filter(({ service }) => services.includes(service));
        return seen.every(({ isRunning, health }) => isRunning && health === 'healthy');
      },
      HEALTH_TIMEOUT_MS,
      () => seen.map(({ name, health, isRunning }) => `${name}: ${isRunning ? (health ?? '') : 'down'}`).join(', '),
    );
  }

  networks(): Promise<readonly string[]> {
    return labelled('network', this.project);
  }

  volumes(): Promise<readonly string[]> {
    return labelled('volume', this.project);
  }

  /** A request to the gateway's REST API. @throws Error naming the answer if it is none of 200 to 299 */
  async request(method: string, path: string, body?: unknown): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text;
  }

  /** By name. */
  async connectors(): Promise<ReadonlyMap<string, ConnectorStatus>> {
    const answer = JSON.parse(await this.request('GET', '/connectors?expand=status')) as Record<
      string,
      { readonly status: ConnectorStatus }
    >;
    return new Map(Object.entries(answer).map(([name, { status }]) => [name, status]));
  }

  /** The states of all containers, and the end of what each wrote. */
  async describe(): Promise<string> {
    const states = (await this.containers()).map(
      ({ name, isRunning, exitCode, health, isOutOfMemory }) =>
        `${name}: ${isRunning ? `up, ${health ?? 'no check'}` : `ended with ${exitCode}`}${isOutOfMemory ? ', out of memory' : ''}`,
    );
    const logs = await docker([...this.#command, 'logs', '--no-color', '--tail', '80', 'init', ...ROLES], {
      environment: this.#environment,
    });
    return `${states.join('\n')}\n${stripVTControlCharacters(logs)}`;
  }

  #compose(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return docker([...this.#command, ...args], {
      timeoutMs: 180_000,
      ...options,
      signal: this.signal,
      environment: this.#environment,
    });
  }

  get #command(): readonly string[] {
    const file = this.environmentFile === undefined ? [] : ['--env-file', this.environmentFile];
    return ['compose', '--project-name', this.project, ...file];
  }

  /** Settings of the caller for other clusters have no effect here. */
  get #environment(): Readonly<Record<string, string | undefined>> {
    const own = Object.entries(process.env).filter(([name]) => !/^(SLUICE|COMPOSE)_/.test(name));
    return { ...Object.fromEntries(own), SLUICE_REST_PORT: String(this.port) };
  }
}
