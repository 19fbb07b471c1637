import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { redriveNamesOf } from '@sluice/protocol';
import {
  encodeProperties,
  type LogicalMessage,
  type QueueRef,
  readableQueues,
  RocketMqClient,
  SYS_FLAG,
  TOPIC_PERM,
} from '@sluice/rocketmq';
import { repositoryRoot, SluiceCluster, until } from '../support/sluice-cluster.js';

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

  describe('that `sluice dlq` reads', () => {
    let paid: string;
    let paidDead: string;
    const sink = (converter: string): Readonly<Record<string, string>> => ({
      'connector.class': 'FileStreamSink',
      file: cluster.path('paid.txt'),
      topics: paid,
      'value.converter': `org.apache.kafka.connect.${converter}`,
      ...(converter.startsWith('json') ? { 'value.converter.schemas.enable': 'false' } : {}),
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': paidDead,
      'errors.deadletterqueue.context.headers.enable': 'true',
    });

    beforeAll(async () => {
      paid = cluster.topic('paid');
      paidDead = cluster.topic('paid-dead');
      await client.admin.createTopic({ topic: paid, readQueues: 2, writeQueues: 2 });
      await client.admin.createTopic({ topic: paidDead, readQueues: 1, writeQueues: 1 });
    });

    /** Writes a letter as a sink does. */
    const sendLetter = (to: string, body: string, context: Readonly<Record<string, string>>): Promise<unknown> => {
      const properties = Object.entries(context).map(([name, value]) => [CONTEXT + name, value] as const);
      return client.producer.send(queueOf(to), { body: Buffer.from(body), properties });
    };

    interface Report {
      readonly sent: number;
      readonly redrivenBefore: number;
      readonly filtered: Readonly<Record<string, number>>;
      readonly notSent: Readonly<Record<string, { readonly count: number }>>;
      readonly stopped: { readonly by: string } | null;
    }

    async function dlq(expectedCode: number, ...args: readonly string[]): Promise<Report> {
      const { code, output } = await cluster.cli('dlq', ...args, '--output', 'json');
      if (code !== expectedCode) throw new Error(`code ${code}: ${output}`);
      return JSON.parse(output) as Report;
    }

    it('are listed, shown and redriven once, into the queue that they came from; the repaired sink gets them', async () => {
      // Of another connector and a topic that is gone: it is in front of the others and stays.
      await sendLetter(paidDead, 'foreign', { topic: `${paid}-gone`, offset: '3', 'connector.name': 'other', stage: 'TASK_PUT' });
      const bodies = ['bad 1', 'bad 2', 'bad 3'];
      for (const body of bodies) {
        const properties = { KEYS: body, TAGS: 'paid', origin: 'shop' };
        const message = { body: Buffer.from(body), properties: Object.entries(properties), bornAt: BORN, flag: 9 };
        await client.producer.send({ ...queueOf(paid), queueId: 1 }, message);
      }
      const answer = await cluster.request('PUT', '/connectors/paid-out/config', sink('json.JsonConverter'));
      expect(answer.status).toBe(201);
      await until('all are dead letters', async () => (await messagesOf(paidDead)).length === 4, 180_000);

      const table = await cluster.cli('dlq', 'list', '--topic', paidDead);
      expect(table.output.split('\n')[2]).toMatch(
        /\/0 +1 +\d{4}-.*Z +paid-out-0 +VALUE_CONVERTER +ConversionError +0 +open +JsonConverter: The bytes/,
      );
      const listed = (await cluster.cli('dlq', 'list', '--topic', paidDead, '--connector', 'paid-out', '--output', 'json')).output;
      const { letters } = JSON.parse(listed) as { letters: { queue: string; offset: number }[] };
      expect(letters.map(({ offset }) => offset)).toEqual([1, 2, 3]);
      const place = ['--queue', letters[0]?.queue ?? '', '--offset', '1'];
      const { output } = await cluster.cli('dlq', 'show', '--topic', paidDead, ...place, '--output', 'json');
      expect(JSON.parse(output)).toMatchObject({
        key: 'bad 1',
        tag: 'paid',
        flag: 9,
        bornTime: new Date(BORN).toISOString(),
        headers: [{ key: 'origin', value: 'shop' }],
        context: { topic: paid, 'queue.id': '1', stage: 'VALUE_CONVERTER' },
        body: { form: 'text', text: 'bad 1' },
        isRedriven: false,
      });

      const ofSink = ['redrive', '--topic', paidDead, '--connector', 'paid-out'];
      expect(await dlq(0, ...ofSink, '--dry-run')).toMatchObject({ sent: 3, filtered: { '--connector': 1 } });
      expect(await messagesOf(paid)).toHaveLength(3);

      expect((await cluster.request('PUT', '/connectors/paid-out/config', sink('storage.StringConverter'))).status).toBe(200);
      expect(await dlq(0, ...ofSink, '--limit', '1')).toMatchObject({ sent: 1, stopped: { by: 'limit' } });
      expect(await dlq(0, ...ofSink)).toMatchObject({ sent: 2, redrivenBefore: 1, filtered: { '--connector': 1 }, stopped: null });
      await until(
        'the repaired sink has them',
        async () => (await readFile(cluster.path('paid.txt'), 'utf8').catch(() => '')) === 'bad 1\nbad 2\nbad 3\n',
        120_000,
        () => cluster.role('sink-runner-1').log.slice(-3000),
      );
      const redriven = (await messagesOf(paid)).slice(3);
      expect(redriven.map(({ body }) => body.toString())).toEqual(bodies);
      for (const message of redriven) {
        expect(message).toMatchObject({ queueId: 1, bornTimestamp: BORN, flag: 9 });
        const properties = Object.fromEntries(message.properties());
        expect(properties).toMatchObject({ TAGS: 'paid', origin: 'shop', 'sluice-redriven': '1' });
        expect(Object.keys(properties).filter((name) => name.startsWith(CONTEXT) || name === 'sluice-p')).toEqual([]);
      }

      // What was redriven behind a letter that is left is not sent again, with filters or without.
      expect(await dlq(0, ...ofSink)).toMatchObject({ sent: 0, redrivenBefore: 3 });
      expect(await dlq(3, 'redrive', '--topic', paidDead)).toMatchObject({ sent: 0, redrivenBefore: 3, notSent: { failed: { count: 1 } } });
      expect(await messagesOf(paid)).toHaveLength(6);
      const open = JSON.parse((await cluster.cli('dlq', 'list', '--topic', paidDead, '--output', 'json')).output) as { letters: unknown[] };
      expect(open.letters).toHaveLength(1);
      expect(await dlq(0, 'redrive', '--topic', paidDead, '--to', paid)).toMatchObject({ sent: 1, redrivenBefore: 3 });
      expect(await dlq(0, 'redrive', '--topic', paidDead)).toMatchObject({ sent: 0, redrivenBefore: 0 });
    }, 500_000);

    it('of a source are redriven only as JSON, when that is asked for', async () => {
      const args = ['redrive', '--topic', cluster.topic('numbers-dead')];
      expect(await dlq(3, ...args)).toMatchObject({ sent: 0, notSent: { 'of-a-source': { count: 2 } } });
      expect(await dlq(0, ...args, '--source-letters', 'as-json')).toMatchObject({ sent: 2 });
      const sent = (await messagesOf(cluster.topic('numbers'))).map(({ body }) => JSON.parse(body.toString()) as { payload: string });
      expect(sent.map(({ payload }) => payload).sort()).toEqual(['one', 'two']);
      const missing = await cluster.cli('dlq', 'list', '--topic', 'no-such-topic');
      expect(missing).toMatchObject({ code: 1, output: expect.stringContaining("topic 'no-such-topic' has no route") });
    }, 300_000);

    it('are all sent when a redrive is killed or stopped in the middle and run again', async () => {
      const target = cluster.topic('again');
      const from = cluster.topic('again-dead');
      await client.admin.createTopic({ topic: target, readQueues: 1, writeQueues: 1 });
      await client.admin.createTopic({ topic: from, readQueues: 1, writeQueues: 1 });
      const bodies = Array.from({ length: 60 }, (_, n) => `letter ${n}`);
      for (const body of bodies) await sendLetter(from, body, { topic: target, offset: '1', 'broker.name': 'gone', 'queue.id': '7' });
      const sentSoFar = (): Promise<number> => client.admin.maxOffset(queueOf(target));

      /** Ends a redrive after some letters. */
      async function interrupted(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly output: string }> {
        const before = await sentSoFar();
        const args = [join(repositoryRoot, 'apps/cli/dist/main.js'), 'dlq', 'redrive', '--topic', from, '--rate', '10', '--output', 'json'];
        const child = spawn(process.execPath, args, { env: { ...process.env, ...cluster.environment, NODE_OPTIONS: '' }, stdio: 'pipe' });
        let output = '';
        child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
        const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
        await until(
          'some letters are sent',
          async () => (await sentSoFar()) >= before + 5,
          120_000,
          () => output,
        );
        child.kill(signal);
        return { code: await ended, output };
      }

      expect(await interrupted('SIGKILL')).toMatchObject({ code: null });
      const stopped = await interrupted('SIGTERM');
      expect({ ...stopped, output: JSON.parse(stopped.output) as Report }).toMatchObject({
        code: 1,
        output: { stopped: { by: 'signal' } },
      });
      const before = await sentSoFar();
      // The one that was stopped had stored all its progress, the one that was killed all but that of its last second.
      const { sent } = await dlq(0, 'redrive', '--topic', from);
      const inTopic = (await messagesOf(target)).map(({ body }) => body.toString());
      expect(inTopic).toHaveLength(before + sent);
      expect([...new Set(inTopic)].sort()).toEqual([...bodies].sort());
      expect(inTopic.length - bodies.length).toBeLessThan(20);
      expect(await dlq(0, 'redrive', '--topic', from)).toMatchObject({ sent: 0 });
    }, 300_000);

    it('are not redriven by two at once', async () => {
      const topic = cluster.topic('again-dead');
      const other = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, clientId: 'another-redrive' });
      try {
        const { group } = redriveNamesOf(topic);
        other.consumer.attend(group);
        await other.consumer.pull({ queue: queueOf(topic), group, offset: 0, maxMessages: 1 });
        const { code, output } = await cluster.cli('dlq', 'redrive', '--topic', topic);
        expect(output).toContain(`sluice dlq: Topic ${topic} is being redriven by another-redrive at `);
        expect(code).toBe(1);
      } finally {
        await other.close();
      }
    }, 120_000);
  });
});
