// npm run bench -- file [--lines N] [--runs N]: file to topic to file through the runtime, beside a plain copy through the same kind of
// topic; with Sluice's limits of a pull, then with RocketMQ's own. Beside Kafka Connect where PEER_KAFKA_CONNECT names its jars.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RocketMqClient } from '@sluice/rocketmq';
import { digestOf } from '../support/sample-lines.js';
import { type IsolatedCluster, SluiceCluster, until } from '../support/sluice-cluster.js';
import { kafkaRuntime, type Runtime, sluiceRuntime } from './file-runtimes.js';
import { KafkaConnect, PEER_VARIABLE } from './kafka-connect.js';
import { appearAs, LINE_BYTES, untilLines, writeLines } from './line-files.js';
import { PULL_SETTINGS, useLimits } from './pull-limits.js';
import { checkRatios, median } from './ratio-check.js';

interface Bench {
  readonly cluster: IsolatedCluster;
  readonly client: RocketMqClient;
  readonly peer: Runtime | undefined;
  readonly source: string;
  readonly lines: number;
}

/** What the runtime has to reach of Kafka Connect's lines, by setting of the broker. */
const PEER_GOALS = [1.75, 1.2] as const;

interface Figure {
  readonly seconds: number;
  readonly linesPerSecond: number;
}

async function createTopic(client: RocketMqClient, topic: string): Promise<void> {
  await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
  await until(`topic ${topic} has a route`, () => client.routes.refresh(topic).catch(() => undefined));
}

/** With each the defaults of its own, and a file's lines as they are. */
const KAFKA_SETTINGS = {
  'tasks.max': '1',
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
};

/** Both connectors are posted first and idle; the clock starts when the file appears. */
async function throughRuntime(runtime: Runtime, { source, lines }: Bench, run: string): Promise<Figure> {
  const topic = `bench-runtime-${run}`;
  const input = join(runtime.folder, `runtime-${run}.in`);
  const output = join(runtime.folder, `runtime-${run}.out`);
  await runtime.createTopic(topic);
  const isOurs = runtime.name === 'Sluice';
  const classOf = (name: string): string => (isOurs ? name : `org.apache.kafka.connect.file.${name}Connector`);
  const common = isOurs ? {} : KAFKA_SETTINGS;
  const connectors = {
    [`bench-in-${run}`]: { ...common, 'connector.class': classOf('FileStreamSource'), file: input, topic },
    [`bench-out-${run}`]: { ...common, 'connector.class': classOf('FileStreamSink'), file: output, topics: topic },
  };
  for (const [name, config] of Object.entries(connectors)) await runtime.post(name, config);
  const before = Object.entries(runtime.cpu());
  const started = performance.now();
  appearAs(source, input);
  await untilLines(output, lines);
  const figure = figureOf(performance.now() - started, lines);
  const after = runtime.cpu();
  const perLine = before.map(([name, used]) => `${name} ${((((after[name] ?? 0) - used) * 1e6) / lines).toFixed(1)}`);
  process.stdout.write(`${runtime.name}: CPU per line in microseconds: ${perLine.join(', ')}\n`);
  if ((await digestOf(output)) !== (await digestOf(source))) throw new Error(`the copy of ${runtime.name} is not identical`);
  for (const name of Object.keys(connectors)) await runtime.delete(name);
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

/** How many times the lines of another one the runtime moved, by round. */
interface Shares {
  readonly ofPlainCopy: number[];
  readonly ofPeer: number[];
}

async function compare(bench: Bench, name: string, runs: number): Promise<Shares> {
  const shares: Shares = { ofPlainCopy: [], ofPeer: [] };
  const { peer, cluster, client } = bench;
  for (let run = 1; run <= runs; run += 1) {
    const plain = await plainCopy(bench, `${name}-${run}`);
    const theirs = peer && (await throughRuntime(peer, bench, `${name}-${run}`));
    const sluice = await throughRuntime(sluiceRuntime(cluster, client), bench, `${name}-${run}`);
    const ratio = sluice.linesPerSecond / plain.linesPerSecond;
    shares.ofPlainCopy.push(ratio);
    process.stdout.write(
      `round ${run}: runtime ${sluice.linesPerSecond} lines/s (${sluice.seconds.toFixed(2)} s), ` +
        `plain copy ${plain.linesPerSecond} lines/s (${plain.seconds.toFixed(2)} s), ratio ${ratio.toFixed(2)}\n`,
    );
    if (theirs === undefined) continue;
    const share = sluice.linesPerSecond / theirs.linesPerSecond;
    shares.ofPeer.push(share);
    process.stdout.write(`  Kafka Connect ${theirs.linesPerSecond} lines/s (${theirs.seconds.toFixed(2)} s), ratio ${share.toFixed(2)}\n`);
  }
  return shares;
}

/**
 * Runs the bench and prints the figures and their ratios, for each of `runs` rounds; beside Kafka Connect where {@link PEER_VARIABLE} names its jars.
 *
 * @throws Error when a copy is not identical, or a ratio is below 0.8 of its goal
 */
export async function fileBench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { lines: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' } },
  });
  const lines = Number(values.lines);
  const cluster = await SluiceCluster.startIsolated();
  const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
  let connect: KafkaConnect | undefined;
  try {
    const folder = cluster.path('kafka');
    connect = await KafkaConnect.start(folder);
    const peer = connect && kafkaRuntime(connect, folder);
    if (peer === undefined) process.stdout.write(`Kafka Connect is left out: ${PEER_VARIABLE} does not name the folder of its jars\n`);
    const source = join(cluster.directory, 'source.txt');
    await writeLines(source, lines);
    await client.admin.createGroup({ group: 'plain-copy' });
    process.stdout.write(`file to topic to file, ${lines} lines of ${LINE_BYTES} bytes, one task, one queue\n`);
    const ratios = [];
    for (const [index, setting] of PULL_SETTINGS.entries()) {
      process.stdout.write(`${await useLimits(client, setting)}\n`);
      const found = await compare({ cluster, client, peer, source, lines }, `${index}`, Number(values.runs));
      ratios.push({ name: `runtime to plain copy, ${setting.name}`, ratio: median(found.ofPlainCopy), goal: 0.8 });
      if (peer === undefined) continue;
      ratios.push({ name: `runtime to ${peer.name}, ${setting.name}`, ratio: median(found.ofPeer), goal: PEER_GOALS[index] ?? 1 });
    }
    checkRatios(ratios);
  } finally {
    await connect?.close();
    await client.close();
    await cluster.close();
  }
}
