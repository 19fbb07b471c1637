// npm run bench -- rpc [--requests N]: requests and their replies between two nodes, through the Proxy and over the remoting protocol, on
// one broker in the same run.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePorts, startCluster, type RunningCluster } from '@sluice/embedded-rocketmq';
import { prepareRpcGroup } from '@sluice/node';
import { RocketMqClient } from '@sluice/rocketmq';
import { RpcEndpoint } from '@sluice/rpc';

const TOPIC = 'bench-rpc';
const QUEUES = 4;
const WARM_UP = 50;
const GOAL_MS = 10;

interface Latency {
  readonly p50: number;
  readonly p99: number;
  /** Of both nodes, which share this process. */
  readonly cpuMs: number;
}

/** Runs the bench; sets the exit code where the goal is missed. */
export async function rpcBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { requests: { type: 'string', default: '1000' } } });
  const requests = Number(values.requests);
  const dataDir = await mkdtemp(join(tmpdir(), 'sluice-bench-rpc-'));
  const cluster = await startCluster({ name: 'bench', dataDir, ports: await freePorts() });
  const client = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 10_000 });
  try {
    await client.admin.createTopic({ topic: TOPIC, readQueues: QUEUES, writeQueues: QUEUES });
    for (const url of [`rocketmq+grpc://${cluster.grpc}`, `rocketmq://${cluster.namesrv}`]) {
      const { p50, p99, cpuMs } = await measure(client, url, requests);
      process.stdout.write(
        `${url.slice(0, url.indexOf('://'))}: p50 ${p50.toFixed(2)} ms (goal ${GOAL_MS}), p99 ${p99.toFixed(2)} ms, CPU of a request and its reply ${cpuMs.toFixed(2)} ms\n`,
      );
      if (p50 > GOAL_MS) process.exitCode = 1;
    }
  } finally {
    await client.close();
    await stop(cluster, dataDir);
  }
}

async function stop(cluster: RunningCluster, dataDir: string): Promise<void> {
  await cluster.stop();
  await rm(dataDir, { recursive: true, force: true });
}

async function measure(client: RocketMqClient, url: string, requests: number): Promise<Latency> {
  const prepareGroup = (group: string): Promise<void> => prepareRpcGroup(client, group, TOPIC);
  const [asking, answering] = ['asking', 'answering'].map((node) => new RpcEndpoint({ node, topic: TOPIC, url, prepareGroup }));
  answering!.serve(({ data }) => Promise.resolve(data));
  await Promise.all([asking!.start(), answering!.start()]);
  const took: number[] = [];
  let cpu = process.cpuUsage();
  for (let index = 0; index < WARM_UP + requests; index += 1) {
    if (index === WARM_UP) cpu = process.cpuUsage();
    const startedAt = performance.now();
    await asking!.request({ node: 'answering', pattern: 'echo' }, index, { timeoutMs: 30_000 });
    if (index >= WARM_UP) took.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(cpu);
  await Promise.all([asking!.stop(), answering!.stop()]);
  took.sort((a, b) => a - b);
  const at = (part: number): number => took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), cpuMs: (user + system) / 1000 / requests };
}
