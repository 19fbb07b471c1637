import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SchemaRegistryProcess } from '../support/schema-registry.js';
import { SluiceCluster, until } from '../support/sluice-cluster.js';

const START_LIMIT_MS = 900_000;
const RECORDS = 300;

/** A sequence and constants, so that each line of the sink is known. */
const ORDER = {
  name: 'shop.Order',
  fields: [
    { field: 'id', type: 'int64', sequence: { start: 1, step: 1 } },
    { field: 'card', type: 'string', options: ['4111-1111'] },
    { field: 'price', type: 'decimal', scale: 2, options: ['19.90'] },
    { field: 'customer', type: 'struct', fields: [{ field: 'name', type: 'string', options: ['Žofia'] }] },
  ],
};

describe('transforms and converters between two runners', () => {
  let cluster: SluiceCluster;
  let registry: SchemaRegistryProcess;

  beforeAll(async () => {
    [registry, cluster] = await Promise.all([SchemaRegistryProcess.start(), SluiceCluster.start()]);
  }, START_LIMIT_MS);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
    await (registry as SchemaRegistryProcess | undefined)?.stop();
  }, 60_000);

  const converters = (): Record<string, string> => ({
    'key.converter': 'org.apache.kafka.connect.converters.LongConverter',
    'value.converter': 'io.confluent.connect.avro.AvroConverter',
    'value.converter.schema.registry.url': registry.url,
  });

  const sourceOf = (topic: string): Record<string, string> => ({
    ...converters(),
    'connector.class': 'DatagenSource',
    topic,
    records: String(RECORDS),
    rate: '0',
    'schema.string': JSON.stringify(ORDER),
    transforms: ' mask , flat, key, id, origin, route ',
    'transforms.mask.type': 'org.apache.kafka.connect.transforms.MaskField$Value',
    'transforms.mask.fields': 'card',
    'transforms.mask.replacement': '****',
    'transforms.flat.type': 'org.apache.kafka.connect.transforms.Flatten$Value',
    'transforms.flat.delimiter': '_',
    'transforms.key.type': 'org.apache.kafka.connect.transforms.ValueToKey',
    'transforms.key.fields': 'id',
    'transforms.id.type': 'org.apache.kafka.connect.transforms.ExtractField$Key',
    'transforms.id.field': 'id',
    'transforms.origin.type': 'org.apache.kafka.connect.transforms.InsertHeader',
    'transforms.origin.header': 'origin',
    'transforms.origin.value.literal': 'shop',
    'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.route.regex': '(.*)-raw',
    'transforms.route.replacement': '$1-eu',
  });

  const sinkOf = (topic: string, file: string): Record<string, string> => ({
    ...converters(),
    'connector.class': 'FileStreamSink',
    topics: topic,
    file: cluster.path(file),
    transforms: 'odd,place,names,line',
    'transforms.odd.type': 'org.apache.kafka.connect.transforms.Filter',
    'transforms.odd.predicate': 'isForeign',
    'transforms.odd.negate': 'true',
    predicates: 'isForeign',
    'predicates.isForeign.type': 'org.apache.kafka.connect.transforms.predicates.HasHeaderKey',
    'predicates.isForeign.name': 'origin',
    'transforms.place.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
    'transforms.place.offset.field': 'at',
    'transforms.names.type': 'org.apache.kafka.connect.transforms.ReplaceField$Value',
    'transforms.names.renames': 'customer_name:name',
    'transforms.line.type': 'JsonataTransform',
    'transforms.line.target': 'record',
    'transforms.line.expression':
      '{ "value": { "key": key, "id": value.id, "at": value.at, "price": value.price, "text": value.name & "/" & value.card } }',
  });

  const textOf = (file: string): Promise<string> => readFile(cluster.path(file), 'utf8').catch(() => '');

  const line = (at: number): string => `{"key":${at + 1},"id":${at + 1},"at":${at},"price":19.9,"text":"Žofia/****"}\n`;
  const expected = Array.from({ length: RECORDS }, (_, at) => line(at)).join('');

  const create = async (name: string, config: Record<string, string>): Promise<void> => {
    const answer = await cluster.request('PUT', `/connectors/${name}/config`, config);
    expect([answer.status, answer.body]).toEqual([201, expect.anything()]);
  };

  const logs = (): string => ['source-runner-1', 'sink-runner-1'].map((role) => cluster.role(role).log.slice(-3000)).join('\n');

  it('change, route and convert every record, in order', async () => {
    await create('orders-in', sourceOf(cluster.topic('orders-raw')));
    await cluster.untilTask('orders-in', 'RUNNING');
    await create('orders-out', sinkOf(cluster.topic('orders-eu'), 'orders.txt'));
    await until('the file has all lines', async () => (await textOf('orders.txt')).split('\n').length > RECORDS, 120_000, logs);
    expect(await textOf('orders.txt')).toBe(expected);
  }, 300_000);

  it('wait for a registry that is unavailable, say so, and lose nothing', async () => {
    await registry.kill();
    await create('late-in', sourceOf(cluster.topic('late-raw')));
    await create('late-out', sinkOf(cluster.topic('late-eu'), 'late.txt'));
    const status = async (): Promise<string> => JSON.stringify((await cluster.request('GET', '/connectors/late-in/status')).body);
    await until('the status names the wait', async () => (await status()).includes('waits'), 120_000, logs);
    expect(await status()).toContain('RUNNING');
    expect(await status()).toContain(new URL(registry.url).host);
    expect(await textOf('late.txt')).toBe('');
    await registry.resume();
    await until('the file has all lines', async () => (await textOf('late.txt')).split('\n').length > RECORDS, 120_000, logs);
    expect(await textOf('late.txt')).toBe(expected);
  }, 400_000);
});
