import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import {
  encodeProperties,
  type LogicalMessage,
  type QueueRef,
  readableQueues,
  RocketMqClient,
  SYS_FLAG,
  TOPIC_PERM,
} from '@sluice/rocketmq';
import { SluiceCluster, until } from '../support/sluice-cluster.js';

interface Status {
  readonly tasks: readonly {
    readonly state: string;
    readonly trace?: string;
    readonly skipped_records?: number;
    readonly dead_letters?: number;
    readonly waits?: readonly { readonly call: string; readonly error: string }[];
  }[];
}

const CONTEXT = '__connect.errors.';
const BORN = 1_500_000_000_000;

describe('dead letters', () => {
  let cluster: SluiceCluster;
  let client: RocketMqClient;
  let topic: string;
  let dead: string;
  let group: string;
  /** The sink's own group must have no other members. */
  let readers: string;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    topic = cluster.topic('orders');
    dead = cluster.topic('orders-dead');
    group = `sluice-${cluster.clusterId}-sink-orders-out`;
    client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, requestTimeoutMs: 10_000 });
    readers = `${cluster.clusterId}-readers`;
    await client.admin.createGroup({ group: readers });
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
  }, 300_000);
  afterAll(async () => {
    await (client as RocketMqClient | undefined)?.close();
    await (cluster as SluiceCluster | undefined)?.close();
  }, 60_000);

  const queueOf = (name: string): QueueRef => ({ topic: name, brokerName: cluster.rocketmq.brokerName, queueId: 0 });
  const committed = (): Promise<number | undefined> => client.admin.queryOffset(group, queueOf(topic));
  const taskOf = async (name: string): Promise<Status['tasks'][number] | undefined> =>
    ((await cluster.request('GET', `/connectors/${name}/status`)).body as Status).tasks[0];

  /** All messages of a topic. */
  async function messagesOf(name: string): Promise<readonly LogicalMessage[]> {
    const found: LogicalMessage[] = [];
    for (const ref of readableQueues(await client.routes.refresh(name))) {
      const end = await client.admin.maxOffset(ref);
      if (end === 0) continue;
      const reader = client.consumer.readQueue(ref, { from: 0, group: readers, signal: AbortSignal.timeout(30_000) });
      const inQueue: LogicalMessage[] = [];
      while (inQueue.length < end) inQueue.push(...(await reader.nextMessages()));
      reader.close();
      found.push(...inQueue);
    }
    return found;
  }

  it('of a sink hold the original bytes, key, tag, headers and born time; the offset follows', async () => {
    const properties = { KEYS: 'order-7', TAGS: 'paid', origin: 'shop' };
    const send = (body: string): Promise<unknown> =>
      client.producer.send(queueOf(topic), { body: Buffer.from(body), properties: Object.entries(properties), bornAt: BORN, flag: 9 });
    await send('{"n":1}');
    await send('no json');
    const squeezed = deflateSync(Buffer.from('no json either '.repeat(100)));
    const sysFlag = SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB;
    await client.producer.sendEncoded(queueOf(topic), {
      body: squeezed,
      sysFlag,
      properties: encodeProperties([['TAGS', 'zip']]),
      bornAt: BORN,
    });
    await send('{"n":2}');
    const answer = await cluster.request('POST', '/connectors', {
      name: 'orders-out',
      config: {
        'connector.class': 'FileStreamSink',
        file: cluster.path('out.txt'),
        topics: topic,
        'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
        'value.converter.schemas.enable': 'false',
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': dead,
        'errors.deadletterqueue.context.headers.enable': 'true',
      },
    });
    expect(answer.status).toBe(201);
    await until(
      'the offset is behind all messages',
      async () => (await committed()) === 4,
      120_000,
      () => JSON.stringify(answer.body),
    );
    const letters = await messagesOf(dead);
    expect(letters.map(({ body }) => body.toString())).toEqual(['no json', 'no json either '.repeat(100)]);
    const [plain, compressed] = letters;
    expect(plain?.bornTimestamp).toBe(BORN);
    expect(plain?.flag).toBe(9);
    const found = Object.fromEntries(plain!.properties());
    expect(found).toMatchObject(properties);
    expect(found).toMatchObject({
      [`${CONTEXT}topic`]: topic,
      [`${CONTEXT}partition`]: '0',
      [`${CONTEXT}offset`]: '1',
      [`${CONTEXT}broker.name`]: cluster.rocketmq.brokerName,
      [`${CONTEXT}connector.name`]: 'orders-out',
      [`${CONTEXT}task.id`]: '0',
      [`${CONTEXT}stage`]: 'VALUE_CONVERTER',
      [`${CONTEXT}class.name`]: 'JsonConverter',
      [`${CONTEXT}exception.class.name`]: 'ConversionError',
    });
    expect(found[`${CONTEXT}exception.stacktrace`]).toContain('The bytes are not JSON');
    expect(compressed?.compressed?.body.equals(squeezed)).toBe(true);
    expect(compressed?.property('TAGS')).toBe('zip');
    await until(
      'the file has the others',
      async () => (await readFile(cluster.path('out.txt'), 'utf8').catch(() => '')) === '{"n":1}\n{"n":2}\n',
      60_000,
    );
  }, 300_000);

  it('keep the offset while their topic takes no writes, and the status says why', async () => {
    await client.admin.updateTopic({ topic: dead, perm: TOPIC_PERM.READ });
    const call = `writing dead letters to topic ${dead}`;
    const isWaiting = async (): Promise<boolean> => (await taskOf('orders-out'))?.waits?.some((wait) => wait.call === call) === true;
    let sent = 4;
    let next = 0;
    await until(
      'the runner has noticed that no dead letter can be written, and its status says so',
      async () => {
        // Until its route is old, a runner writes: brokers store what is sent to a topic that is closed.
        if (performance.now() > next) {
          await client.producer.send(queueOf(topic), { body: Buffer.from(`bad ${sent++}`) });
          next = performance.now() + 3000;
        }
        return isWaiting();
      },
      240_000,
      () => cluster.role('sink-runner-1').log.slice(-3000),
    );
    expect((await taskOf('orders-out'))?.state).toBe('RUNNING');
    const offset = (await committed()) ?? 0;
    expect(offset).toBeLessThan(sent);
    // Two of the first four messages were good.
    expect(await messagesOf(dead)).toHaveLength(offset - 2);
    await client.admin.updateTopic({ topic: dead, perm: TOPIC_PERM.READ_WRITE });
    await until(
      'the offset follows',
      async () => (await committed()) === sent,
      180_000,
      () => cluster.role('sink-runner-1').log.slice(-3000),
    );
    expect((await messagesOf(dead)).map(({ body }) => body.toString())).toContain(`bad ${sent - 1}`);
    expect(await messagesOf(dead)).toHaveLength(sent - 2);
    await until('the status shows no wait', async () => !(await isWaiting()), 60_000);
  }, 500_000);

  it('of a source hold the value as JSON with its schema', async () => {
    const numbers = cluster.topic('numbers');
    const numbersDead = cluster.topic('numbers-dead');
    await writeFile(cluster.path('numbers.txt'), 'one\ntwo\n');
    const answer = await cluster.request('POST', '/connectors', {
      name: 'numbers-in',
      config: {
        'connector.class': 'FileStreamSource',
        file: cluster.path('numbers.txt'),
        topic: numbers,
        'value.converter': 'org.apache.kafka.connect.converters.IntegerConverter',
        'errors.tolerance': 'all',
        'errors.deadletterqueue.topic.name': numbersDead,
        'errors.deadletterqueue.context.properties.enable': 'true',
      },
    });
    expect(answer.body).toMatchObject({ name: 'numbers-in' });
    await until(
      'all records are dead letters',
      async () => (await taskOf('numbers-in'))?.dead_letters === 2,
      180_000,
      () => cluster.role('source-runner-1').log.slice(-3000),
    );
    const letters = await messagesOf(numbersDead);
    const bodies = letters.map(({ body }) => JSON.parse(body.toString()) as { schema: { type: string }; payload: string });
    expect(bodies.map(({ schema, payload }) => [schema.type, payload])).toEqual([
      ['string', 'one'],
      ['string', 'two'],
    ]);
    for (const letter of letters) {
      expect(letter.property(`${CONTEXT}stage`)).toBe('VALUE_CONVERTER');
      expect(letter.property(`${CONTEXT}topic`)).toBe(numbers);
      expect(letter.property(`${CONTEXT}source.position`)).toBeDefined();
      expect(letter.property('sluice-p')).toBeUndefined();
    }
    expect((await taskOf('numbers-in'))?.skipped_records).toBe(2);
  }, 300_000);

  it('are refused where the sink reads them itself', async () => {
    const config = {
      'connector.class': 'FileStreamSink',
      file: cluster.path('x.txt'),
      'topics.regex': `${topic}.*`,
      'errors.tolerance': 'all',
    };
    const answer = await cluster.request('PUT', '/connectors/circle/config', { ...config, 'errors.deadletterqueue.topic.name': dead });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(`The dead letter topic ${dead} is one of those that the sink reads`);
  });
});
