import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { RocketMqClient } from '@sluice/rocketmq';
import { appendLines, digestOf } from '../support/sample-lines.js';
import { type IsolatedCluster, SluiceCluster, until } from '../support/sluice-cluster.js';

const lines = 200_000;
const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => ({ size: 0 }))).size;

describe('a file through a topic into another file', () => {
  let cluster: IsolatedCluster;
  let input: string;
  let output: string;

  beforeAll(async () => {
    cluster = await SluiceCluster.startIsolated();
    input = cluster.path('in.txt');
    output = cluster.path('out.txt');
  }, 300_000);
  afterAll(async () => {
    await (cluster as IsolatedCluster | undefined)?.close();
  }, 300_000);

  const untilIdentical = async (timeoutMs = 180_000): Promise<void> => {
    const expected = await sizeOf(input);
    let size = 0;
    await until(
      'the output has the size of the input',
      async () => {
        size = await sizeOf(output);
        return size >= expected;
      },
      timeoutMs,
      () => `${size} of ${expected} bytes; ${JSON.stringify(cluster.roles.map((role) => role.log.slice(-800)))}`,
    );
    expect(await digestOf(output)).toBe(await digestOf(input));
  };

  it('comes out identical and in order: 200,000 lines of mixed length, with empty ones, Chinese, emoji and one of 1 MB', async () => {
    await appendLines(input, 0, lines / 2);
    await appendFile(input, `${'1 MB '.repeat(200_000)}\n`);
    await appendLines(input, lines / 2, lines - 1);
    const source = await cluster.request('POST', '/connectors', {
      name: 'lines-in',
      config: {
        'connector.class': 'FileStreamSource',
        file: input,
        topic: 'lines',
        'topic.creation.default.partitions': '1',
      },
    });
    expect(source.status).toBe(201);
    expect(source.headers.get('location')).toMatch(/\/connectors\/lines-in$/);
    expect(source.body).toMatchObject({
      name: 'lines-in',
      type: 'source',
      config: { name: 'lines-in', topic: 'lines' },
    });
    const sink = await cluster.request('POST', '/connectors', {
      name: 'lines-out',
      config: { 'connector.class': 'FileStreamSink', file: output, topics: 'lines' },
    });
    expect(sink.status).toBe(201);
    await untilIdentical();
    expect((await readFile(output)).filter((byte) => byte === 10)).toHaveLength(lines);
  }, 300_000);

  /** How many messages the topic's only queue has taken. */
  const storedMessages = async (): Promise<number> => {
    const client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
    try {
      return await client.admin.maxOffset({ topic: 'lines', brokerName: cluster.rocketmq.brokerName, queueId: 0 });
    } finally {
      await client.close();
    }
  };

  it('is one message per line', async () => {
    expect(await storedMessages()).toBe(lines);
  });

  it('shows what runs where', async () => {
    await cluster.untilTask('lines-in', 'RUNNING', 'source-runner-1');
    await cluster.untilTask('lines-out', 'RUNNING', 'sink-runner-1');
    expect((await cluster.request('GET', '/connectors')).body).toEqual(['lines-in', 'lines-out']);
  });

  it('gives a sink only what its transforms leave, and counts what they drop', async () => {
    const filtered = cluster.path('filtered.txt');
    for (const topic of ['kept', 'left-out']) {
      await writeFile(cluster.path(`${topic}.txt`), `${topic} 1\n${topic} 2\n${topic} 3\n`);
      await cluster.request('PUT', `/connectors/${topic}-in/config`, {
        'connector.class': 'FileStreamSource',
        file: cluster.path(`${topic}.txt`),
        topic,
      });
    }
    const config = {
      'connector.class': 'FileStreamSink',
      file: filtered,
      topics: 'kept,left-out',
      transforms: 'drop',
      'transforms.drop.type': 'org.apache.kafka.connect.transforms.Filter',
      predicates: 'isLeftOut',
      'predicates.isLeftOut.type': 'TopicNameMatches',
      'predicates.isLeftOut.pattern': 'left-.*',
    };
    const wrong = await cluster.request('PUT', '/connectors/filtered-out/config', { ...config, 'transforms.drop.predicate': 'isOut' });
    expect(wrong.status).toBe(400);
    expect(JSON.stringify(wrong.body)).toContain('Invalid value isOut for configuration transforms.drop.predicate');
    const right = await cluster.request('PUT', '/connectors/filtered-out/config', { ...config, 'transforms.drop.predicate': 'isLeftOut' });
    expect(right.status).toBe(201);
    const dropped = 'sluice_connector_records_dropped_total{connector="filtered-out",reason="filtered"} 3';
    await until('the dropped records are counted', async () => {
      const { nodes } = (await cluster.request('GET', '/cluster')).body as { nodes: { role: string; http?: string }[] };
      const runner = nodes.find(({ role }) => role === 'sink-runner');
      const metrics = await fetch(`http://${runner?.http ?? ''}/metrics`);
      return (await metrics.text()).includes(dropped);
    });
    await until('the kept records are written', async () => (await sizeOf(filtered)) >= 3 * 'kept 1\n'.length);
    expect(await readFile(filtered, 'utf8')).toBe('kept 1\nkept 2\nkept 3\n');
    for (const name of ['filtered-out', 'kept-in', 'left-out-in']) await cluster.request('DELETE', `/connectors/${name}`);
  }, 120_000);

  it('stops while paused and continues when resumed', async () => {
    expect((await cluster.request('PUT', '/connectors/lines-out/pause')).status).toBe(202);
    await cluster.untilTask('lines-out', 'PAUSED');
    const before = await sizeOf(output);
    const stored = await storedMessages();
    await appendFile(input, 'while paused\n');
    await until('the line is in the topic', async () => (await storedMessages()) > stored);
    expect(await sizeOf(output)).toBe(before);
    expect((await cluster.request('PUT', '/connectors/lines-out/resume')).status).toBe(202);
    await untilIdentical();
  }, 300_000);

  it('resumes where it was after everything was stopped and started again', async () => {
    for (const role of [...cluster.roles].reverse()) expect(await role.kill('SIGTERM')).toBe(0);
    await cluster.rocketmq.restartBroker();
    await appendFile(input, 'while everything was down\n');
    for (const role of cluster.roles) role.start();
    await cluster.untilReady();
    expect((await cluster.request('GET', '/connectors')).body).toEqual(['lines-in', 'lines-out']);
    await untilIdentical();
  }, 300_000);

  it('stops, restarts and deletes', async () => {
    expect((await cluster.request('POST', '/connectors/lines-in/tasks/0/restart')).status).toBe(204);
    await cluster.untilTask('lines-in', 'RUNNING');
    await appendFile(input, 'after a restart\n');
    await untilIdentical();
    expect((await cluster.request('PUT', '/connectors/lines-in/stop')).status).toBe(204);
    await until('a stopped connector has no tasks', async () => {
      const { body } = await cluster.request('GET', '/connectors/lines-in/status');
      const status = body as { connector: { state: string }; tasks: unknown[] };
      return status.connector.state === 'STOPPED' && status.tasks.length === 0;
    });
    expect((await cluster.request('DELETE', '/connectors/lines-in')).status).toBe(204);
    expect((await cluster.request('DELETE', '/connectors/lines-out')).status).toBe(204);
    expect((await cluster.request('GET', '/connectors')).body).toEqual([]);
    expect((await cluster.request('GET', '/connectors/lines-in')).status).toBe(404);
  }, 300_000);

  describe('bad requests', () => {
    const good = { 'connector.class': 'FileStreamSource', file: '/tmp/x', topic: 't' };

    it.each([
      ['an unknown class', { name: 'bad', config: { ...good, 'connector.class': 'Nope' } }, 400, ['Nope']],
      ['a missing field', { name: 'bad', config: { 'connector.class': 'FileStreamSource', file: '/tmp/x' } }, 400, ['topic']],
      ['two wrong fields', { name: 'bad', config: { ...good, 'tasks.max': 'many', 'batch.size': 'x' } }, 400, ['tasks.max', 'batch.size']],
      [
        'an unknown converter',
        { name: 'bad', config: { ...good, 'key.converter': 'ThriftConverter', 'header.converter': 'Nope' } },
        400,
        ['ThriftConverter for configuration key.converter', 'Nope for configuration header.converter', 'JsonConverter'],
      ],
      [
        'a wrong setting of a converter',
        {
          name: 'bad',
          config: { ...good, 'value.converter': 'JsonConverter', 'value.converter.schemas.enable': 'perhaps' },
        },
        400,
        ['perhaps for configuration value.converter.schemas.enable'],
      ],
      [
        'a setting that the converter does not have',
        { name: 'bad', config: { ...good, 'value.converter': 'JsonConverter', 'value.converter.schema.enable': 'x' } },
        400,
        ['value.converter.schema.enable', 'Did you mean value.converter.schemas.enable?'],
      ],
      ['a wrong type', { name: 'bad', config: 5 }, 400, ['config']],
      ['malformed JSON', '{"name": ', 400, []],
      ['a name with a slash', { name: 'a/b', config: good }, 400, ['a/b']],
    ])('%s gets a 4xx that names it', async (_what, body, status, named) => {
      const answer = await cluster.request('POST', '/connectors', body);
      expect(answer.status).toBe(status);
      expect(answer.body).toMatchObject({ error_code: status });
      for (const name of named) expect((answer.body as { message: string }).message).toContain(name);
    });

    it('an unknown connector gets 404', async () => {
      const answer = await cluster.request('GET', '/connectors/none/status');
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual({ error_code: 404, message: 'No status found for connector none' });
    });

    it('a name that is taken gets 409', async () => {
      await writeFile(cluster.path('twice.txt'), '');
      const body = { name: 'twice', config: { ...good, file: cluster.path('twice.txt') } };
      expect((await cluster.request('POST', '/connectors', body)).status).toBe(201);
      const answer = await cluster.request('POST', '/connectors', body);
      expect(answer.status).toBe(409);
      expect(answer.body).toEqual({ error_code: 409, message: 'Connector twice already exists' });
      expect((await cluster.request('DELETE', '/connectors/twice')).status).toBe(204);
    });

    it.each(['PUT', 'PATCH'])('%s of wrong converter settings leaves the stored ones', async (method) => {
      const config = { ...good, file: cluster.path('kept.txt'), name: 'kept' };
      await writeFile(config.file, '');
      expect((await cluster.request('POST', '/connectors', { name: 'kept', config })).status).toBe(201);
      const answer = await cluster.request(method, '/connectors/kept/config', { ...config, 'value.converter': 'Nope' });
      expect(answer.status).toBe(400);
      expect((answer.body as { message: string }).message).toContain('Nope for configuration value.converter');
      expect((await cluster.request('GET', '/connectors/kept/config')).body).toEqual(config);
      expect((await cluster.request('DELETE', '/connectors/kept')).status).toBe(204);
    });

    it('leave nothing behind', async () => {
      expect((await cluster.request('GET', '/connectors')).body).toEqual([]);
    });
  });
});
