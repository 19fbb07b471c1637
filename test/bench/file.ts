// npm run bench -- file [--lines N] [--runs N]: file to topic to file through the runtime, beside a plain copy through the same kind of
// topic; with Sluice's limits of a pull, then with RocketMQ's own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RocketMqClient } from '@sluice/rocketmq';
import { cpuSeconds } from '../support/cpu-time.js';
import { digestOf } from '../support/sample-lines.js';
import { type IsolatedCluster, SluiceCluster, until } from '../support/sluice-cluster.js';
import { appearAs, LINE_BYTES, untilLines, writeLines } from './line-files.js';
import { PULL_SETTINGS, useLimits } from './pull-limits.js';
import { checkRatios, median } from './ratio-check.js';

interface Bench {
  readonly cluster: IsolatedCluster;
  readonly client: RocketMqClient;
  readonly source: string;
  readonly lines: number;
}

interface Figure {
  readonly seconds: number;
  readonly linesPerSecond: number;
}

async function createTopic(client: RocketMqClient, topic: string): Promise<void> {
  await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
  await until(`topic ${topic} has a route`, () => client.routes.refresh(topic).catch(() => undefined));
}

/** Both connectors are posted first and idle; the clock starts when the file appears. */
async function throughRuntime({ cluster, client, source, lines }: Bench, run: string): Promise<Figure> {
  const topic = `bench-runtime-${run}`;
  const input = cluster.path(`runtime-${run}.in`);
  const output = cluster.path(`runtime-${run}.out`);
  await createTopic(client, topic);
  const connectors = {
    [`bench-in-${run}`]: { 'connector.class': 'FileStreamSource', file: input, topic },
    [`bench-out-${run}`]: { 'connector.class': 'FileStreamSink', file: output, topics: topic },
  };
  for (const [name, config] of Object.entries(connectors)) {
    const answer = await cluster.request('POST', '/connectors', { name, config });
    if (answer.status !== 201) throw new Error(`${name}: ${JSON.stringify(answer.body)}`);
    await cluster.untilTask(name, 'RUNNING');
  }
  const pids = {
    'source-runner': cluster.role('source-runner-1').pid,
    'sink-runner': cluster.role('sink-runner-1').pid,
    broker: cluster.rocketmq.pids.broker ?? 0,
  };
  const before = Object.entries(pids).map(([name, pid]) => [name, pid, cpuSeconds(pid)] as const);
  const started = performance.now();
  appearAs(source, input);
  await untilLines(output, lines);
  const figure = figureOf(performance.now() - started, lines);
  const perLine = before.map(([name, pid, used]) => `${name} ${(((cpuSeconds(pid) - used) * 1e6) / lines).toFixed(1)}`);
  process.stdout.write(`CPU per line in microseconds: ${perLine.join(', ')}\n`);
  if ((await digestOf(output)) !== (await digestOf(source))) throw new Error('the copy is not identical');
  for (const name of Object.keys(connectors)) await cluster.request('DELETE', `/connectors/${name}`);
  return figure;
}

async function plainCopy({ cluster, client, source, lines }: Bench, run: string): Promise<Figure> {
  const topic = `bench-plain-${run}`;
  const output = cluster.path(`plain-${run}.out`);
  await createTopic(client, topic);
  const script = fileURLToPath(new URL('./plain-copy.js', import.meta.url));
  const started = performance.now();
  await Promise.all([
    runToEnd(process.execPath, [script, 'receive', cluster.rocketmq.namesrv, topic, output, String(lines)]),
    runToEnd(process.execPath, [script, 'send', cluster.rocketmq.namesrv, topic, source]),
  ]);
  const figure = figureOf(performance.now() - started, lines);
  if ((await digestOf(output)) !== (await digestOf(source))) throw new Error('the plain copy is not identical');
  return figure;
}

function figureOf(elapsedMs: number, lines: number): Figure {
  return { seconds: elapsedMs / 1000, linesPerSecond: Math.round(lines / (elapsedMs / 1000)) };
}

async function runToEnd(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: '' } });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(code)}`);
}

/** Returns how many times the plain copy's lines the runtime moved, by round. */
async function compare(bench: Bench, name: string, runs: number): Promise<number[]> {
  const ratios: number[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const plain = await plainCopy(bench, `${name}-${run}`);
    const sluice = await throughRuntime(bench, `${name}-${run}`);
    const ratio = sluice.linesPerSecond / plain.linesPerSecond;
    ratios.push(ratio);
    process.stdout.write(
      `round ${run}: runtime ${sluice.linesPerSecond} lines/s (${sluice.seconds.toFixed(2)} s), ` +
        `plain copy ${plain.linesPerSecond} lines/s (${plain.seconds.toFixed(2)} s), ratio ${ratio.toFixed(2)}\n`,
    );
  }
  return ratios;
}

/** Runs the bench and prints both figures and their ratio, for each of `runs` rounds. @throws Error when a ratio is below 0.8 of its goal */
export async function fileBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { lines: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' } },
  });
  const lines = Number(values.lines);
  const cluster = await SluiceCluster.startIsolated();
  const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
  try {
    const source = join(cluster.directory, 'source.txt');
    await writeLines(source, lines);
    await client.admin.createGroup({ group: 'plain-copy' });
    process.stdout.write(`file to topic to file, ${lines} lines of ${LINE_BYTES} bytes, one task, one queue\n`);
    const ratios = [];
    for (const [index, setting] of PULL_SETTINGS.entries()) {
      process.stdout.write(`${await useLimits(client, setting)}\n`);
      const found = await compare({ cluster, client, source, lines }, `${index}`, Number(values.runs));
      ratios.push({ name: `runtime to plain copy, ${setting.name}`, ratio: median(found), goal: 0.8 });
    }
    checkRatios(ratios);
  } finally {
    await client.close();
    await cluster.close();
  }
}
