import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, startCluster, type RunningCluster } from '@sluice/embedded-rocketmq';
import { RocketMqClient } from '@sluice/rocketmq';
import { freePort, repositoryRoot, until } from '../support/sluice-cluster.js';

const LIMIT_MS = 400_000;

/** Accepts connections and never answers. */
class BlackHole {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.resume();
  });

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('name servers of which one does not answer', () => {
  let home: string;
  let rocketmq: RunningCluster;
  const blackHole = new BlackHole();
  const addresses: Record<'silent' | 'closed' | 'good' | 'other', string> = {
    silent: '',
    closed: '',
    good: '',
    other: '',
  };
  let child: ChildProcess | undefined;
  let output = '';
  let url = '';

  /** Runs all roles, each with a store of its own, on a Connect cluster that does not exist yet. */
  const start = async (clusterId: string, namesrv: string): Promise<void> => {
    output = '';
    url = `http://127.0.0.1:${await freePort()}`;
    const started = spawn(process.execPath, [join(repositoryRoot, 'apps/cli/dist/main.js'), 'local', '--broker', 'broker-name-servers'], {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        SLUICE_HOME: join(home, clusterId),
        SLUICE_CLUSTER_ID: clusterId,
        SLUICE_NAMESRV: namesrv,
        SLUICE_GRPC: rocketmq.grpc,
        SLUICE_HTTP_PORT: new URL(url).port,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [started.stdout, started.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child = started;
    await until(
      'Sluice is ready',
      () => {
        if (started.exitCode !== null) throw new Error(`it ended: ${output}`);
        return output.includes(`Sluice is ready: ${url}`);
      },
      180_000,
      () => output,
    );
  };

  const stop = async (): Promise<void> => {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await ended;
    }
    child = undefined;
  };

  const post = (name: string, config: Record<string, string>): Promise<Response> =>
    fetch(`${url}/connectors`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, config }),
      signal: AbortSignal.timeout(60_000),
    });

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'sluice-name-servers-'));
    rocketmq = await startCluster({
      name: 'name-servers',
      dataDir: join(home, 'rocketmq'),
      ports: await freePorts(),
      topology: { nameServers: 2 },
      startTimeoutMs: LIMIT_MS,
    });
    const [good, other] = rocketmq.nameServers;
    addresses.good = good!.address;
    addresses.other = other!.address;
    addresses.silent = await blackHole.listen();
    addresses.closed = `127.0.0.1:${await freePort()}`;
  }, LIMIT_MS);

  afterAll(async () => {
    await stop();
    await rocketmq.kill();
    await blackHole.close();
    rmSync(home, { recursive: true, force: true });
  }, LIMIT_MS);

  it.each([
    ['one that never answers first', 'first', ['silent', 'good']],
    ['one that never answers second', 'second', ['good', 'silent']],
    ['a closed port first', 'closed', ['closed', 'good']],
  ] as const)(
    'all roles start on a new Connect cluster with %s',
    async (_what, clusterId, list) => {
      await start(clusterId, list.map((name) => addresses[name]).join(';'));
      await stop();
    },
    LIMIT_MS,
  );

  it(
    'stays ready and finds new topics when a name server stops answering after the start',
    async () => {
      await start('stopped', `${addresses.good};${addresses.other}`);
      const admin = RocketMqClient.open({ namesrv: rocketmq.namesrv });
      await admin.admin.createTopic({ topic: 'unasked', readQueues: 1, writeQueues: 1, timeoutMs: 30_000 });
      await admin.close();
      const [stopped] = rocketmq.nameServers;
      process.kill(stopped!.pid!, 'SIGSTOP');
      try {
        writeFileSync(join(home, 'in.txt'), 'one\ntwo\n');
        const answer = await post('lines', {
          'connector.class': 'FileStreamSource',
          'tasks.max': '1',
          file: join(home, 'in.txt'),
          topic: 'unasked',
        });
        expect(answer.status).toBe(201);
        const client = RocketMqClient.open({ namesrv: `${addresses.good};${addresses.other}` });
        await until(
          'the lines have arrived',
          async () => {
            const stats = await client.admin.topicStats('unasked');
            return stats.reduce((sum, queue) => sum + queue.maxOffset, 0) >= 2;
          },
          90_000,
          () => output,
        );
        await client.close();
        expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      } finally {
        process.kill(stopped!.pid!, 'SIGCONT');
      }
    },
    LIMIT_MS,
  );
});
