import { appendFile, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type QueueRef, RocketMqClient } from '@sluice/rocketmq';
import { parsePrometheusText } from '../support/prometheus-text.js';
import { freePort, SluiceCluster, until } from '../support/sluice-cluster.js';
import { type ReceivedSpan, TraceReceiver } from '../support/trace-receiver.js';

describe('traces', () => {
  const receiver = new TraceReceiver();
  let port: number;
  let cluster: SluiceCluster;
  let client: RocketMqClient;

  beforeAll(async () => {
    port = await freePort();
    await receiver.listen(port);
    cluster = await SluiceCluster.start(() => ({
      SLUICE_TRACING_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      SLUICE_TRACING_OTLP_HEADERS: 'authorization=Bearer%20t0ken',
      SLUICE_TRACING_OTLP_TIMEOUT_MS: '1000',
      SLUICE_TRACING_SAMPLE_RATIO: '1',
    }));
    client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, requestTimeoutMs: 10_000 });
  }, 300_000);
  afterAll(async () => {
    await (client as RocketMqClient | undefined)?.close();
    await (cluster as SluiceCluster | undefined)?.close();
    await receiver.close();
  }, 60_000);

  const queueOf = (topic: string): QueueRef => ({ topic, brokerName: cluster.rocketmq.brokerName, queueId: 0 });

  async function create(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    let last = '';
    const isCreated = async (): Promise<boolean> => {
      const { status, body } = await cluster.request('POST', '/connectors', { name, config });
      last = JSON.stringify(body);
      return status === 201;
    };
    // Runners may be new to the gateway.
    await until(`${name} is created`, isCreated, 60_000, () => last);
  }

  /** Copies a line through a topic of one queue, from file to file. */
  async function copyThrough(name: string, line: string): Promise<void> {
    const topic = cluster.topic(name);
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    await appendFile(cluster.path(`${name}.in`), `${line}\n`);
    await create(`${name}-in`, { 'connector.class': 'FileStreamSource', file: cluster.path(`${name}.in`), topic });
    await create(`${name}-out`, { 'connector.class': 'FileStreamSink', file: cluster.path(`${name}.out`), topics: topic });
    await untilOut(name, `${line}\n`);
  }

  const untilOut = (name: string, text: string): Promise<unknown> =>
    until(
      `${name}.out has the lines`,
      async () => (await readFile(cluster.path(`${name}.out`), 'utf8').catch(() => '')) === text,
      120_000,
      () => cluster.roles.map((role) => `\n--- ${role.id}\n${role.log.slice(-1500)}`).join(''),
    );

  const shown = (): string => receiver.spans.map(({ name, attributes }) => `${name} ${JSON.stringify(attributes)}`).join('\n');

  /** Resolves with the whole of a sink's record. */
  const processed = (topic: string): Promise<ReceivedSpan> =>
    until('the span of the sink', () => receiver.spans.find(({ name }) => name === `process ${topic}`), 60_000, shown);

  async function expectOneTrace(name: string, nodes: readonly string[]): Promise<void> {
    const topic = cluster.topic(name);
    const sink = await processed(topic);
    await until('the span of the source', () => receiver.spans.find(({ name: each }) => each === `source ${name}-in`), 60_000, shown);
    const trace = receiver.spans.filter(({ traceId }) => traceId === sink.traceId);
    const one = (wanted: string, role: string): ReceivedSpan => {
      const found = trace.filter((span) => span.name === wanted && span.role === role);
      expect([wanted, found.length]).toEqual([wanted, 1]);
      return found[0]!;
    };
    const source = one(`source ${name}-in`, 'source-runner');
    const send = one(`send ${topic}`, 'source-runner');
    expect(source.parentSpanId).toBe('');
    expect(one('convert', 'source-runner').parentSpanId).toBe(source.spanId);
    expect(send.parentSpanId).toBe(source.spanId);
    expect(sink.parentSpanId).toBe(send.spanId);
    for (const step of ['convert', 'put', 'flush', 'commit']) expect(one(step, 'sink-runner').parentSpanId).toBe(sink.spanId);
    // PRODUCER and CONSUMER, as OTLP numbers them.
    expect([send.kind, sink.kind]).toEqual([4, 5]);
    const place = {
      'messaging.system': 'rocketmq',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': '0',
      'sluice.task': 0,
      'sluice.broker': cluster.rocketmq.brokerName,
      'sluice.queue': 0,
      'sluice.offset': 0,
    };
    expect(source.attributes).toMatchObject({ ...place, 'sluice.connector': `${name}-in`, 'sluice.outcome': 'acknowledged' });
    expect(sink.attributes).toMatchObject({ ...place, 'sluice.connector': `${name}-out`, 'sluice.outcome': 'committed' });
    expect([source.node, sink.node]).toEqual(nodes);
  }

  const valueOf = async (id: string, metric: string, outcome?: string): Promise<number> => {
    const url = [...cluster.role(id).log.matchAll(/is up: (http:\S+)\/health\/ready/g)].at(-1)?.[1] ?? '';
    const { samples } = parsePrometheusText(await (await fetch(`${url}/metrics`)).text());
    return samples.find(({ name, labels }) => name === metric && labels['outcome'] === outcome)?.value ?? NaN;
  };

  it('follow a record from file to file, in one trace with spans of both runners', async () => {
    await copyThrough('first', 'one line');
    await expectOneTrace('first', ['source-runner-1', 'sink-runner-1']);
    expect([...receiver.authorizations]).toEqual(['Bearer t0ken']);
  }, 300_000);

  it('continue that of another sender, begin none where it says so, and count what is no context', async () => {
    const topic = cluster.topic('first');
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const invalid = await valueOf('sink-runner-1', 'sluice_trace_contexts_invalid_total');
    const send = (body: string, parent: string): Promise<unknown> =>
      client.producer.send(queueOf(topic), { body: Buffer.from(body), properties: [['traceparent', parent]] });
    await send('unsampled', `00-${'1'.repeat(32)}-b7ad6b7169203331-00`);
    await send('nonsense', 'nonsense');
    await send('sampled', `00-${traceId}-b7ad6b7169203331-01`);
    await untilOut('first', 'one line\nunsampled\nnonsense\nsampled\n');
    const span = await until('its span', () => receiver.spans.find((each) => each.traceId === traceId && each.kind === 5), 60_000, shown);
    expect(span).toMatchObject({ parentSpanId: 'b7ad6b7169203331', name: `process ${topic}` });
    expect(receiver.spans.filter((each) => each.traceId === '1'.repeat(32))).toEqual([]);
    expect(await valueOf('sink-runner-1', 'sluice_trace_contexts_invalid_total')).toBe(invalid + 1);
  }, 180_000);

  it('show an error, and where the record went', async () => {
    const dead = cluster.topic('dead');
    const name = 'failing';
    await appendFile(cluster.path('failing.in'), '{"a":1}\n');
    await create(name, {
      'connector.class': 'FileStreamSource',
      file: cluster.path('failing.in'),
      topic: cluster.topic('failing'),
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': dead,
      transforms: 'no',
      'transforms.no.type': 'org.apache.kafka.connect.transforms.ExtractField$Value',
      'transforms.no.field': 'f',
    });
    const span = await until('its span', () => receiver.spans.find((each) => each.name === `source ${name}`), 120_000, shown);
    expect(span.attributes).toMatchObject({
      'sluice.outcome': 'dead-letter',
      'sluice.dead_letter.topic': dead,
      'sluice.error.stage': 'TRANSFORMATION',
    });
    expect(span.error).toBeDefined();
  }, 180_000);

  it('continue in task threads, and what waits is exported when a runner stops', async () => {
    const threads = {
      SLUICE_TASK_THREADS: '2',
      SLUICE_TRACING_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      SLUICE_TRACING_SAMPLE_RATIO: '1',
    };
    for (const role of ['source-runner', 'sink-runner'] as const) {
      const runner = cluster.add(role, `${role}-2`, threads);
      runner.start();
      await until(
        `${runner.id} is up`,
        () => runner.log.includes('is up: '),
        60_000,
        () => runner.log,
      );
    }
    for (const role of ['source-runner-1', 'sink-runner-1']) await cluster.role(role).kill('SIGTERM');
    await copyThrough('second', 'another line');
    await cluster.role('source-runner-2').kill('SIGTERM');
    await cluster.role('sink-runner-2').kill('SIGTERM');
    await expectOneTrace('second', ['source-runner-2', 'sink-runner-2']);
  }, 300_000);

  it('never stop a pipeline where nobody receives them: they are dropped and counted', async () => {
    for (const role of ['source-runner-1', 'sink-runner-1']) cluster.role(role).start();
    await receiver.close();
    await appendFile(cluster.path('second.in'), 'a third\n'.repeat(20));
    await untilOut('second', `another line\n${'a third\n'.repeat(20)}`);
    for (const role of ['source-runner-1', 'sink-runner-1']) {
      await until(
        `${role} has counted what it dropped`,
        async () => (await valueOf(role, 'sluice_trace_spans_total', 'export_failed').catch(() => 0)) > 0,
        60_000,
        () => cluster.role(role).log.slice(-1500),
      );
      expect(cluster.role(role).log).toContain('span(s) are dropped: their export failed');
    }
    await receiver.listen(port);
    const before = receiver.spans.length;
    await appendFile(cluster.path('second.in'), 'a last\n');
    await until('spans arrive again', () => receiver.spans.length > before, 60_000);
  }, 300_000);
});
