import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clusterStatus, freePorts } from '@sluice/embedded-rocketmq';
import { freePort, until } from '../support/sluice-cluster.js';

const main = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
const rocketmqMain = fileURLToPath(new URL('../../libs/embedded-rocketmq/dist/cli.js', import.meta.url));

describe('sluice local --demo', () => {
  let home: string;
  let url: string;
  let args: readonly string[];
  let child: ChildProcess | undefined;
  let output = '';

  const start = async (): Promise<number> => {
    const started = performance.now();
    output = '';
    child = spawn(process.execPath, [main, 'local', ...args], {
      env: { ...process.env, NODE_OPTIONS: '', SLUICE_HOME: home, SLUICE_HTTP_PORT: new URL(url).port },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const starting = child;
    await until(
      'Sluice is ready',
      () => {
        if (starting.exitCode !== null) throw new Error(`it ended: ${output}`);
        return output.includes(`Sluice is ready: ${url}`);
      },
      180_000,
      () => output,
    );
    return performance.now() - started;
  };
  const stop = async (): Promise<number | null> => {
    const ended = new Promise<number | null>((resolve) => child?.once('exit', resolve));
    child?.kill('SIGTERM');
    const code = await ended;
    child = undefined;
    return code;
  };
  const pidOf = (role: string): number | undefined => {
    const path = join(home, 'store', `${role}-1`, 'lock');
    const pid = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { pid?: number }).pid : undefined;
    return pid;
  };

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'sluice-local-'));
    const ports = await freePorts();
    url = `http://127.0.0.1:${await freePort()}`;
    args = [
      '--demo',
      ...['--namesrv-port', String(ports.namesrv), '--broker-port', String(ports.broker), '--grpc-port', String(ports.grpc)],
    ];
    await start();
  }, 300_000);
  afterAll(async () => {
    if (child?.exitCode === null) await stop();
    rmSync(home, { recursive: true, force: true });
  }, 300_000);

  it('shows the lines of the sample file arriving, and those that are appended', async () => {
    await until(
      'the sample has arrived',
      () => output.includes('out.txt: 你好'),
      180_000,
      () => output,
    );
    appendFileSync(join(home, 'demo', 'in.txt'), 'one more\n');
    await until(
      'the new line has arrived',
      () => output.includes('out.txt: one more'),
      180_000,
      () => output,
    );
  }, 300_000);

  it('starts a role again that died, and says so', async () => {
    const before = pidOf('sink-runner');
    expect(before).toBeDefined();
    process.kill(before!, 'SIGKILL');
    await until('the restart is announced', () => /sink-runner was killed by SIGKILL; starting it again/.test(output));
    await until(
      'it is up again',
      () => pidOf('sink-runner') !== before && pidOf('sink-runner'),
      180_000,
      () => output,
    );
    appendFileSync(join(home, 'demo', 'in.txt'), 'after the death\n');
    await until(
      'lines arrive again',
      () => output.includes('out.txt: after the death'),
      180_000,
      () => output,
    );
  }, 300_000);

  it('answers health on every role', async () => {
    const urls = new Map<string, string>();
    for (const [, node = '', base = ''] of output.matchAll(/Node (\S+) is up: (http:\/\/[^/]+)\/health\/ready/g)) {
      urls.set(node, base);
    }
    expect([...urls.keys()].sort()).toEqual(['coordinator-1', 'gateway-1', 'sink-runner-1', 'source-runner-1']);
    for (const path of ['live', 'ready']) {
      const asked = [...urls.values()].map(async (base) => (await fetch(`${base}/health/${path}`)).status);
      expect(await Promise.all(asked)).toEqual([200, 200, 200, 200]);
    }
  });

  it('says that the broker has ended, and the command that it prints starts it again', async () => {
    const dataDir = join(home, 'rocketmq', 'local');
    process.kill((await clusterStatus(dataDir))!.pids.broker!, 'SIGKILL');
    await until(
      'the end is reported',
      () => output.includes(`RocketMQ's broker has ended. Start it again with \`SLUICE_HOME=${home} npm run rocketmq -- `),
      60_000,
      () => output,
    );
    const [, command = ''] = /Start it again with `SLUICE_HOME=\S+ npm run rocketmq -- ([^`]+)`/.exec(output) ?? [];
    const starter = spawn(process.execPath, [rocketmqMain, ...command.split(' ')], {
      env: { ...process.env, NODE_OPTIONS: '', SLUICE_HOME: home },
      stdio: 'inherit',
    });
    expect(await new Promise((resolve) => starter.once('exit', resolve))).toBe(0);
    await until(
      'it runs again',
      () => output.includes("RocketMQ's broker runs again"),
      60_000,
      () => output,
    );
    appendFileSync(join(home, 'demo', 'in.txt'), 'after the end of the broker\n');
    await until(
      'lines arrive again',
      () => output.includes('out.txt: after the end of the broker'),
      180_000,
      () => output,
    );
  }, 400_000);

  it('refuses a second one in the same place, naming the first', async () => {
    const second = spawn(process.execPath, [main, 'local', ...args], {
      env: { ...process.env, NODE_OPTIONS: '', SLUICE_HOME: home, SLUICE_HTTP_PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [second.stdout, second.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    expect(await new Promise((resolve) => second.once('close', resolve))).toBe(1);
    expect(said).toContain(`The local cluster of process ${String(child?.pid)} in ${home} runs already: stop it first`);
    appendFileSync(join(home, 'demo', 'in.txt'), 'after the second\n');
    await until(
      'lines arrive as before',
      () => output.includes('out.txt: after the second'),
      180_000,
      () => output,
    );
  }, 300_000);

  it('waits for one before it that is stopping, and starts a RocketMQ that ends before it is ready', async () => {
    const first = child!;
    const ended = new Promise<number | null>((resolve) => first.once('exit', resolve));
    first.kill('SIGTERM');
    await until('it is stopping', () => existsSync(join(home, 'local.stopping')));
    // It would be gone before the next one has started where that takes long.
    first.kill('SIGSTOP');
    const starting = start();
    await until(
      'it waits',
      () => output.includes(`of process ${String(first.pid)} is stopping: waiting`),
      60_000,
      () => output,
    );
    first.kill('SIGCONT');
    expect(await ended).toBe(0);
    await until(
      'RocketMQ is up',
      () => output.includes('RocketMQ is up'),
      180_000,
      () => output,
    );
    const { pids } = (await clusterStatus(join(home, 'rocketmq', 'local')))!;
    for (const pid of Object.values(pids)) process.kill(pid!, 'SIGKILL');
    await starting;
    expect(output).toContain('has ended before Sluice was ready: starting it again');
    appendFileSync(join(home, 'demo', 'in.txt'), 'after the stop\n');
    await until(
      'lines arrive again',
      () => output.includes('out.txt: after the stop'),
      180_000,
      () => output,
    );
  }, 400_000);

  it('ends everything that it started on SIGTERM, and keeps what it knows for the next start', async () => {
    const pids = ['gateway', 'coordinator', 'source-runner', 'sink-runner'].map(pidOf);
    expect(await stop()).toBe(0);
    expect(output).toContain('Stopped');
    for (const pid of pids) expect(() => process.kill(pid!, 0)).toThrow();
    const versions = { 'connectorConfig.json': 3, 'taskConfig.json': 3, 'position.json': 3, 'offset.json': 1 };
    for (const [file, version] of Object.entries(versions)) {
      const content: unknown = JSON.parse(readFileSync(join(home, 'store', 'source-runner-1', file), 'utf8'));
      expect(content).toHaveProperty('version', version);
    }
    await start();
    appendFileSync(join(home, 'demo', 'in.txt'), 'after everything\n');
    await until(
      'lines arrive again',
      () => output.includes('out.txt: after everything'),
      180_000,
      () => output,
    );
    const out = readFileSync(join(home, 'demo', 'out.txt'), 'utf8');
    expect(out).toBe(readFileSync(join(home, 'demo', 'in.txt'), 'utf8'));
  }, 300_000);
});
