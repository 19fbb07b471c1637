import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ConnectObject, type SourceRecord, type SourceTask, type TaskConfig, validateValue } from '@sluice/sdk';
import { RememberedPositions, sourceTestContext, splitTestContext } from '@sluice/testing';
import { decodeVerificationHeader, VERIFICATION_HEADER } from '@sluice/verification';
import { datagenSource } from './datagen-source.connector.js';

const json = { 'value.converter': 'JsonConverter' };
const orders = { topic: 't', rate: '0', quickstart: 'orders', ...json };
const { signal } = new AbortController();
let folder = '';
let tasks: SourceTask[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-datagen-'));
});
afterEach(async () => {
  for (const task of tasks) await task.stop();
  tasks = [];
  await rm(folder, { recursive: true, force: true });
});

async function start(config: TaskConfig, positions = new RememberedPositions()): Promise<SourceTask> {
  const task = datagenSource.createTask();
  tasks.push(task);
  const [own] = await datagenSource.taskConfigs(config, 1, splitTestContext());
  await task.start(sourceTestContext({ config: own! }, positions));
  return task;
}

async function collect(task: SourceTask): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = [];
  for (let some = await task.poll(signal); some.length > 0; some = await task.poll(signal)) records.push(...some);
  return records;
}

const messagesOf = async (config: TaskConfig): Promise<readonly string[]> =>
  ((await datagenSource.validate?.(config, signal)) ?? []).map(({ message }) => message);
const contentOf = ({ value, key, partition, position }: SourceRecord): unknown => ({ value, key, partition, position });

describe('the generator with a schema', () => {
  it('makes structs of it, with the key field as key, and counts over all partitions', async () => {
    const records = await collect(await start({ ...orders, records: '10', partitions: '3' }));
    for (const { value, schema, key, keySchema } of records) {
      validateValue(schema!, value);
      validateValue(keySchema!, key);
      expect(key).toBe((value as ConnectObject)['orderid']);
    }
    expect(records.map(({ key }) => Number(key)).sort((left, right) => left - right)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('makes the same records in any batches and after a resume at any of them', async () => {
    const config = { ...orders, records: '60', partitions: '2', seed: '8' };
    const byPlace = (left: SourceRecord, right: SourceRecord): number =>
      Number(left.partition['partition']) - Number(right.partition['partition']) ||
      Number(left.position['seq']) - Number(right.position['seq']);
    const whole = [...(await collect(await start(config)))].sort(byPlace).map(contentOf);
    const positions = new RememberedPositions();
    const resumed: SourceRecord[] = [];
    for (let n = 0; n < 6; n += 1) {
      const some = await (await start({ ...config, 'batch.size': '10' }, positions)).poll(signal);
      resumed.push(...some);
      for (const { partition, position } of some) positions.set(partition, position);
    }
    expect(resumed.sort(byPlace).map(contentOf)).toEqual(whole);
    const other = await collect(await start({ ...config, seed: '9' }));
    expect([...other].sort(byPlace).map(({ value }) => value)).not.toEqual(whole.map((content) => (content as SourceRecord).value));
  });

  it('reads it from a file, and names the file that it cannot read or what is wrong in it', async () => {
    const path = join(folder, 'schema.json');
    const config = { topic: 't', rate: '0', records: '1', 'schema.filename': path, 'schema.keyfield': 'id', ...json };
    await expect(start(config)).rejects.toThrow(`Invalid value ${path} for configuration schema.filename: Value must be a file`);
    await writeFile(path, '{"fields":[{"field":"id","type":"int99"}]}');
    await expect(start(config)).rejects.toThrow('for configuration schema.filename: id.type: "int99" given; allowed are boolean');
    await writeFile(path, '{"fields":[{"field":"id","type":"int8","options":[7]}]}');
    expect(await collect(await start(config))).toMatchObject([{ key: 7, value: { id: 7 } }]);
    await writeFile(path, '{"fields":[{"field":"other","type":"int8"}]}');
    await expect(start(config)).rejects.toThrow('Invalid value id for configuration schema.keyfield: Value must be a field');
  });

  it('adds the header by which a verifier judges its records', async () => {
    const records = await collect(await start({ ...orders, records: '3', seed: '5', 'verification.header': 'true' }));
    expect(
      records.map(({ headers }) => {
        expect(headers).toMatchObject([{ key: VERIFICATION_HEADER }]);
        return decodeVerificationHeader(headers?.[0]?.value as string);
      }),
    ).toEqual([0, 1, 2].map((seq) => ({ ok: true, place: { seed: 5, partition: 0, seq, createdMs: expect.any(Number) } })));
    expect((await collect(await start({ ...orders, records: '1' })))[0]?.headers).toBeUndefined();
  });

  it('makes records late', async () => {
    const config = { ...orders, records: '500', 'late.record.share': '0.2', 'verification.header': 'true' };
    const late = (await collect(await start(config))).filter(({ timestamp, headers }) => {
      const decoded = decodeVerificationHeader(headers?.[0]?.value as string);
      return decoded.ok && decoded.place.createdMs > (timestamp ?? 0);
    });
    expect(late.length / 500).toBeCloseTo(0.2, 1);
  });

  it.each<readonly [TaskConfig, TaskConfig, string]>([
    [orders, { seq: 'x' }, 'a whole number from 0'],
    [orders, { seq: 3, keys: 1000 } as never, 'is one of other records than those of schema "sluice.datagen.Order"'],
    [orders, { seq: 3, schema: 'Other', partitions: 1 } as never, 'is one of other records'],
    [orders, { seq: 3, schema: 'sluice.datagen.Order', partitions: 2 } as never, 'assumes another number of partitions than 1'],
    [{ topic: 't' }, { seq: 3, schema: 'sluice.datagen.Order', partitions: 1 } as never, 'is one of records with a schema'],
  ])('with %j refuses the position %j', async (config, position, reason) => {
    const positions = new RememberedPositions();
    positions.set({ seed: 1, partition: 0 }, position);
    await expect(start(config, positions)).rejects.toMatchObject({
      code: 'CONNECT_POSITION_INVALID',
      message: expect.stringContaining(reason),
    });
  });

  it.each<readonly [TaskConfig, string]>([
    [{ ...orders, 'schema.string': '{}' }, 'Invalid value {} for configuration schema.string: Value must be absent beside quickstart'],
    [{ ...orders, keys: '5' }, 'Invalid value 5 for configuration keys: Value must be absent, because values follow from the schema'],
    [{ ...orders, 'record.size': '5' }, 'Invalid value 5 for configuration record.size: Value must be absent'],
    [
      { topic: 't', 'schema.keyfield': 'id' },
      'Invalid value id for configuration schema.keyfield: Value must be absent, because there is no',
    ],
    [
      { topic: 't', 'verification.header': 'true' },
      'for configuration verification.header: Value must be absent, because there is no schema',
    ],
    [
      { topic: 't', quickstart: 'users' },
      'Invalid value null for configuration value.converter: Value must be a converter that writes structs',
    ],
    [{ ...orders, 'value.converter': 'ByteArrayConverter' }, 'Invalid value ByteArrayConverter for configuration value.converter'],
    [{ ...orders, 'schema.keyfield': 'shipdate' }, 'Invalid value shipdate for configuration schema.keyfield: Value must be a field of'],
    [
      { topic: 't', 'schema.string': '{"fields":[{"field":"id","type":"x"}]}', ...json },
      'Invalid value for configuration schema.string: id.type: "x" given; allowed are boolean',
    ],
  ])('refuses %j', async (config, message) => {
    expect(await messagesOf(config)).toEqual([expect.stringContaining(message)]);
  });

  it('accepts fewer keys than partitions, which are settings of numbered records', async () => {
    expect(await messagesOf({ ...orders, partitions: '1000', 'late.record.share': '0.5' })).toEqual([]);
  });
});
