import { join } from 'node:path';
import { RocketMqClient } from '@sluice/rocketmq';
import { digestOf } from '../support/sample-lines.js';
import { SluiceCluster } from '../support/sluice-cluster.js';
import { printFigures } from './figure.js';
import { kafkaRuntime, type Runtime, type Settings, sluiceRuntime } from './file-runtimes.js';
import { KafkaConnect, PEER_VARIABLE } from './kafka-connect.js';
import { appearAs, LINE_BYTES, untilLines, writeLines } from './line-files.js';
import { checkRatios, median, type Ratio } from './ratio-check.js';

/** Of the lines, those that are not measured: processes have just started, and compile what they run. */
const WARM_UP_SHARE = 0.3;
const GOAL_PER_SECOND = 30_000;
const GOAL_RATIO = 1;

interface Load {
  readonly perSecond: number;
  /** Microseconds of CPU per record, by process. */
  readonly cpu: Readonly<Record<string, number>>;
}

/** The envelope with its schema in each record, and the payload alone. */
const FORMATS = [
  { name: 'JSON with its schema', schemas: 'true' },
  { name: 'JSON without a schema', schemas: 'false' },
] as const;

type Format = (typeof FORMATS)[number];

const transformOf = (name: string): string => `org.apache.kafka.connect.transforms.${name}$Value`;

/** What both connectors have in common. */
function settingsOf({ schemas }: Format): Settings {
  return {
    'tasks.max': '1',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': schemas,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  };
}

/** Makes of a line a struct of three fields. */
function sourceSettings(format: Format, file: string, topic: string): Settings {
  return {
    ...settingsOf(format),
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    ...{ file, topic },
    transforms: 'hoist,insert',
    'transforms.hoist.type': transformOf('HoistField'),
    'transforms.hoist.field': 'line',
    'transforms.insert.type': transformOf('InsertField'),
    'transforms.insert.topic.field': 'topic',
    'transforms.insert.static.field': 'site',
    'transforms.insert.static.value': 'bench',
  };
}

/** Makes the line of the struct again. */
function sinkSettings(format: Format, file: string, topics: string): Settings {
  return {
    ...settingsOf(format),
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    ...{ file, topics },
    transforms: 'drop,extract',
    'transforms.drop.type': transformOf('ReplaceField'),
    'transforms.drop.exclude': 'topic,site',
    'transforms.extract.type': transformOf('ExtractField'),
    'transforms.extract.field': 'line',
  };
}

/** Both connectors are posted first and idle; then the file appears. @throws Error when the copy is not identical */
async function measure(runtime: Runtime, format: Format, run: string, file: string, lines: number): Promise<Load> {
  const name = `transforms-${run}`;
  const [input, output] = [join(runtime.folder, `${name}.in`), join(runtime.folder, `${name}.out`)];
  await runtime.createTopic(name);
  await runtime.post(`${name}-in`, sourceSettings(format, input, name));
  await runtime.post(`${name}-out`, sinkSettings(format, output, name));
  appearAs(file, input);
  const first = await untilLines(output, WARM_UP_SHARE * lines);
  const [startedAt, before] = [performance.now(), runtime.cpu()];
  await untilLines(output, lines);
  const [seconds, after] = [(performance.now() - startedAt) / 1_000, runtime.cpu()];
  if ((await digestOf(output)) !== (await digestOf(file))) throw new Error(`${runtime.name}: the copy is not identical`);
  await runtime.delete(`${name}-in`);
  await runtime.delete(`${name}-out`);
  const measured = lines - first;
  const cpu = Object.entries(before).map(([process, used]) => [process, (((after[process] ?? 0) - used) * 1e6) / measured] as const);
  const load = { perSecond: measured / seconds, cpu: Object.fromEntries(cpu) };
  const perRecord = Object.entries(load.cpu).map(([process, micros]) => `${process} ${micros.toFixed(1)}`);
  process.stdout.write(
    `  ${runtime.name} ${load.perSecond.toFixed(0)} records/s; CPU per record in microseconds: ${perRecord.join(', ')}\n`,
  );
  return load;
}

export interface TransformLoad {
  readonly lines: number;
  readonly rounds: number;
}

/**
 * Moves a file through a topic into another file, as JSON: two transforms make structs of its lines, two more make lines of the structs. Prints
 * what that gives, with the schema in each record and without, beside Kafka Connect with the same settings where {@link PEER_VARIABLE} names
 * its jars.
 *
 * @throws Error when a copy is not identical, or a ratio is below 0.8 of its goal
 */
export async function transformBench({ lines, rounds }: TransformLoad): Promise<void> {
  const cluster = await SluiceCluster.startIsolated();
  const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
  let connect: KafkaConnect | undefined;
  try {
    const folder = cluster.path('kafka');
    connect = await KafkaConnect.start(folder);
    const peer = connect && kafkaRuntime(connect, folder);
    if (peer === undefined) process.stdout.write(`Kafka Connect is left out: ${PEER_VARIABLE} does not name the folder of its jars\n`);
    const file = cluster.path('lines.txt');
    await writeLines(file, lines);
    process.stdout.write(
      `file to topic to file, ${lines} lines of ${LINE_BYTES} bytes, one task and two transforms on each side, one queue\n`,
    );
    const figures = [];
    const ratios: Ratio[] = [];
    for (const [at, format] of FORMATS.entries()) {
      const ours: number[] = [];
      const shares: number[] = [];
      for (let round = 1; round <= rounds; round += 1) {
        process.stdout.write(`round ${round}, ${format.name}\n`);
        const theirs = peer && (await measure(peer, format, `${at}-${round}`, file, lines));
        const { perSecond } = await measure(sluiceRuntime(cluster, client), format, `${at}-${round}`, file, lines);
        ours.push(perSecond);
        if (theirs !== undefined) shares.push(perSecond / theirs.perSecond);
      }
      figures.push({ what: `${format.name}, two transforms`, value: median(ours), unit: 'records/s', atLeast: GOAL_PER_SECOND });
      if (peer !== undefined) ratios.push({ name: `Sluice to ${peer.name}, ${format.name}`, ratio: median(shares), goal: GOAL_RATIO });
    }
    printFigures(figures);
    checkRatios(ratios);
  } finally {
    await connect?.close();
    await client.close();
    await cluster.close();
  }
}
