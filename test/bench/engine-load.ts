// What the generator and the verifier cost by themselves, in a process of its own: `engine-load.js RECORDS RECORD_SIZE REPORT_DIR` prints
// one line of JSON.
import { join } from 'node:path';
import type { SinkConnector, SinkRecord, SourceConnector, SourceRecord } from '@sluice/sdk';
import { RememberedPositions, sinkTestContext, sourceTestContext, splitTestContext } from '@sluice/testing';
import { repositoryRoot } from '../support/sluice-cluster.js';

/** Microseconds of CPU per record. */
export interface ConnectorCosts {
  readonly generator: number;
  readonly verifier: number;
}

const queue = { topic: 'engine', brokerName: 'broker', queueId: 0 };

/** Loads the only connector of a package, as a runner does. */
async function connectorIn<C>(name: string): Promise<C> {
  const { connectors } = (await import(join(repositoryRoot, 'libs/connectors', name, 'dist/index.js'))) as { connectors: readonly C[] };
  const [connector] = connectors;
  if (connector === undefined) throw new Error(`${name} has no connector`);
  return connector;
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** The first half warms the code up. */
async function measure(records: number, recordSize: number, reports: string): Promise<ConnectorCosts> {
  const source = await connectorIn<SourceConnector>('datagen');
  const sink = await connectorIn<SinkConnector>('verify');
  const { signal } = new AbortController();
  const settings = { topic: queue.topic, records: String(records), 'record.size': String(recordSize), rate: '0', keys: '100' };
  const [config] = await source.taskConfigs(settings, 1, splitTestContext());
  if (config === undefined) throw new Error('the generator has no task');
  const polling = source.createTask();
  await polling.start(sourceTestContext({ config }, new RememberedPositions()));
  const putting = sink.createTask();
  await putting.start(sinkTestContext({ config: { topics: queue.topic, 'report.dir': reports } }));
  await putting.open([queue]);
  const spent = { generator: 0, verifier: 0 };
  let offset = 0;
  while (offset < records) {
    const before = cpuMicros();
    const polled = await polling.poll(signal);
    const between = cpuMicros();
    const read = polled.map((record, at) => asRead(record, offset + at));
    const built = cpuMicros();
    await putting.put(read, signal);
    if (offset >= records / 2) {
      spent.generator += between - before;
      spent.verifier += cpuMicros() - built;
    }
    offset += polled.length;
  }
  await polling.stop();
  await putting.stop();
  return { generator: spent.generator / (records / 2), verifier: spent.verifier / (records / 2) };
}

function asRead({ key = null, value }: SourceRecord, offset: number): SinkRecord {
  return { topic: queue.topic, queue, offset, key, value };
}

const [records = 0, recordSize = 0] = process.argv.slice(2, 4).map(Number);
process.stdout.write(`${JSON.stringify(await measure(records, recordSize, process.argv[4] ?? ''))}\n`);
