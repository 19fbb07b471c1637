import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterLayout } from './cluster-layout.js';
import { type ClusterPlan, DEFAULT_HEAP_SIZES, NO_TLS } from './cluster-plan.js';
import { writeClusterState } from './cluster-state.js';
import { endedNodes } from './cluster-status.js';
import { processMarker } from './jvm-command.js';
import { portTakenAdvice, startCommand, stopCommand } from './port-advice.js';
import { checkPortsFree, PortTakenError } from './ports.js';
import { processFacts } from './process-identity.js';

const listener = `require('node:net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port); })`;

describe('advice on a taken port', () => {
  let home: string;
  let child: ChildProcess;
  let port: number;

  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'sluice-port-advice-'));
    const marker = processMarker('namesrv', join(home, 'rocketmq', 'local'));
    child = spawn(process.execPath, ['-e', listener, '--', marker], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = (await once(child.stdout!, 'data')) as [Buffer];
    port = Number(printed.toString());
  });
  afterEach(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    rmSync(home, { recursive: true, force: true });
  });

  const taken = async (): Promise<PortTakenError> => {
    const error: unknown = await checkPortsFree([{ port, use: 'namesrv' }]).catch((thrown: unknown) => thrown);
    if (!(error instanceof PortTakenError)) throw new Error(`the port is not taken: ${String(error)}`);
    return error;
  };
  const recordCluster = async (): Promise<string> => {
    const dataDir = join(home, 'rocketmq', 'local');
    mkdirSync(dataDir, { recursive: true });
    const plan: ClusterPlan = {
      name: 'local',
      version: '5.5.0',
      topology: {},
      nodes: [
        { kind: 'namesrv', id: 'namesrv', hasController: false, ports: { listen: port } },
        {
          kind: 'broker',
          id: 'broker',
          brokerName: 'broker-local',
          hasProxy: false,
          config: {},
          ports: { listen: 10_911 },
        },
      ],
      heap: DEFAULT_HEAP_SIZES,
      brokerConfig: {},
      tls: NO_TLS,
    };
    const { startedAt } = (await processFacts(child.pid!))!;
    const namesrv = { pid: child.pid!, startedAt };
    await writeClusterState(clusterLayout(dataDir), { version: 2, plan, processes: { namesrv } });
    return dataDir;
  };

  it('names the embedded RocketMQ of this state directory that holds it, and the command that starts the rest of it', async () => {
    const dataDir = await recordCluster();
    const other = join(home, 'rocketmq', 'foreign');
    mkdirSync(other);
    writeFileSync(join(other, 'cluster.json'), '{}');
    await expect(endedNodes(dataDir)).resolves.toEqual(['broker']);
    const advice = await portTakenAdvice(await taken(), { SLUICE_HOME: home });
    expect(advice).toBe(
      `The embedded RocketMQ 'local' of this state directory holds them. ` +
        `\`SLUICE_HOME=${home} npm run rocketmq -- start --name local\` starts what has ended of it, ` +
        `\`SLUICE_HOME=${home} npm run rocketmq -- stop --name local\` stops it\n` +
        'For a second RocketMQ beside it, choose others with --namesrv-port, --broker-port and --grpc-port',
    );
    expect(startCommand('local', {})).toBe('npm run rocketmq -- start --name local');
  });

  it.each(['/a home', "/it's $HOME", '/plain-1.0'])('quotes the state directory %s for a shell', (directory) => {
    const command = stopCommand('local', { SLUICE_HOME: directory }).replace(/ npm run .*/, ' sh -c \'printf %s "$SLUICE_HOME"\'');
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toBe(directory);
  });

  it('names only the options where another process holds it', async () => {
    await expect(portTakenAdvice(await taken(), { SLUICE_HOME: home })).resolves.toBe(
      'Choose others with --namesrv-port, --broker-port and --grpc-port',
    );
  });
});
