import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../support/sluice-cluster.js';
import { KafkaConnect, PEER_VARIABLE } from './kafka-connect.js';

const LIMIT_MS = 300_000;
const TOPIC = 'mirrored';
const ALIAS = 'a';

/** What MirrorMaker 2 did with messages of 1 KB, from a topic to another one of the same broker. */
export interface MirrorLoad {
  readonly perSecond: number;
  /** Microseconds of the worker's CPU per message. */
  readonly cpuMicros: number;
}

/** Returns why MirrorMaker 2 cannot run beside; `undefined` where it can. */
export function mirrorProblem(): string | undefined {
  const jars = process.env[PEER_VARIABLE];
  if (jars === undefined || jars === '') return `${PEER_VARIABLE} does not name the folder of its jars`;
  const files = existsSync(jars) ? readdirSync(jars) : [];
  const missing = ['connect-mirror', 'kafka-tools'].filter((name) => !files.some((file) => file.startsWith(`${name}-`)));
  return missing.length === 0 ? undefined : `${jars} lacks ${missing.join(' and ')}`;
}

/** Fills a topic, then mirrors it with two tasks. The part before `warmUpShare` of the messages is not measured. */
export async function mirrorLoad(
  folder: string,
  messages: number,
  bytes: number,
  queues: number,
  warmUpShare: number,
): Promise<MirrorLoad> {
  const connect = await KafkaConnect.start(folder);
  if (connect === undefined) throw new Error(`${PEER_VARIABLE} is not set`);
  const run = async (mainClass: string, ...words: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('java', ['-Xmx256m', '-cp', join(connect.jars, '*'), mainClass, ...words], {
      timeout: LIMIT_MS,
    });
    return stdout;
  };
  const server = ['--bootstrap-server', connect.bootstrap];
  const count = async (topic: string): Promise<number> => {
    const text = await run('org.apache.kafka.tools.GetOffsetShell', ...server, '--topic', topic).catch(() => '');
    return text.split('\n').reduce((sum, line) => sum + Number(line.split(':')[2] ?? 0), 0);
  };
  try {
    const create = ['--create', '--topic', TOPIC, '--partitions', String(queues), '--replication-factor', '1'];
    await run('org.apache.kafka.tools.TopicCommand', ...server, ...create);
    const load = ['--topic', TOPIC, '--num-records', String(messages), '--record-size', String(bytes), '--throughput', '-1'];
    const properties = ['--producer-props', `bootstrap.servers=${connect.bootstrap}`, 'batch.size=65536', 'linger.ms=5'];
    await run('org.apache.kafka.tools.ProducerPerformance', ...load, ...properties);
    await connect.post('mirror', {
      'connector.class': 'org.apache.kafka.connect.mirror.MirrorSourceConnector',
      'tasks.max': '2',
      topics: TOPIC,
      'source.cluster.alias': ALIAS,
      'target.cluster.alias': 'b',
      'source.cluster.bootstrap.servers': connect.bootstrap,
      'target.cluster.bootstrap.servers': connect.bootstrap,
      'key.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
      'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
      'replication.factor': '1',
      'offset-syncs.topic.replication.factor': '1',
    });
    const copy = `${ALIAS}.${TOPIC}`;
    const first = await untilCount(() => count(copy), warmUpShare * messages);
    const cpu = connect.cpu;
    const last = await untilCount(() => count(copy), messages);
    const measured = last.count - first.count;
    if (measured <= 0) throw new Error('MirrorMaker 2 was faster than the first look: give it more messages');
    return { perSecond: (measured * 1000) / (last.atMs - first.atMs), cpuMicros: ((connect.cpu - cpu) * 1e6) / measured };
  } finally {
    await connect.close();
  }
}

async function untilCount(count: () => Promise<number>, wanted: number): Promise<{ readonly count: number; readonly atMs: number }> {
  return until(
    `MirrorMaker 2 has copied ${wanted} messages`,
    async () => {
      const found = await count();
      return found >= wanted && { count: found, atMs: performance.now() };
    },
    LIMIT_MS,
  );
}
