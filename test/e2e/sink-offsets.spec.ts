import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile, rename } from 'node:fs/promises';
import { RocketMqClient, type QueueRef } from '@sluice/rocketmq';
import { Mqadmin } from '../integration/rocketmq/mqadmin.js';
import { report } from '../integration/rocketmq/report.js';
import { SluiceCluster, until } from '../support/sluice-cluster.js';

interface Status {
  readonly tasks: readonly {
    readonly state: string;
    readonly trace?: string;
    readonly warnings?: readonly { readonly message: string }[];
  }[];
}

const range = (prefix: string, from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `${prefix}${from + index}`);

describe('the offsets of a sink', () => {
  let cluster: SluiceCluster;
  let topic: string;
  let group: string;
  let client: RocketMqClient;
  let mqadmin: Mqadmin;
  let queue: QueueRef;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
    topic = cluster.topic('orders');
    group = `sluice-${cluster.clusterId}-sink-orders-out`;
    client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, requestTimeoutMs: 10_000 });
    mqadmin = await Mqadmin.open(cluster.rocketmq.namesrv);
    queue = { topic, brokerName: cluster.rocketmq.brokerName, queueId: 0 };
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    await send(...range('a', 0, 30));
    await cluster.request('POST', '/connectors', {
      name: 'orders-out',
      config: { 'connector.class': 'FileStreamSink', file: cluster.path('out.txt'), topics: topic },
    });
    await untilLines(range('a', 0, 30));
  }, 300_000);
  afterAll(async () => {
    await (mqadmin as Mqadmin | undefined)?.close();
    await (client as RocketMqClient | undefined)?.close();
    await (cluster as SluiceCluster | undefined)?.close();
  }, 60_000);

  async function send(...values: readonly string[]): Promise<void> {
    for (const value of values) await client.producer.send(queue, { body: Buffer.from(value) });
  }

  async function lines(): Promise<readonly string[]> {
    return (await readFile(cluster.path('out.txt'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
  }

  async function untilLines(expected: readonly string[]): Promise<void> {
    let written: readonly string[] = [];
    await until(
      `the file has ${expected.length} lines`,
      async () => {
        written = await lines();
        return written.length >= expected.length;
      },
      90_000,
      () => `${written.length} lines; ${cluster.role('sink-runner-1').log.slice(-3000)}`,
    );
    expect(written).toEqual(expected);
  }

  const status = async (): Promise<Status['tasks'][number] | undefined> =>
    ((await cluster.request('GET', '/connectors/orders-out/status')).body as Status).tasks[0];

  const untilCommitted = (offset: number): Promise<unknown> =>
    until(`the group has offset ${offset}`, async () => (await client.admin.queryOffset(group, queue)) === offset);

  it('are followed when an operator resets the group of a running sink that has nothing to do', async () => {
    await untilCommitted(30);
    const printed = await mqadmin.run('resetOffsetByTime', '-g', group, '-t', topic, '-s', '0');
    expect(printed).toContain(topic);
    await untilLines([...range('a', 0, 30), ...range('a', 0, 30)]);
    const warning = `The offset of consumer group ${group} was reset: queue ${topic}@${queue.brokerName}:0 resumes at offset 0`;
    await until('the status shows it', async () => (await status())?.warnings?.some(({ message }) => message === warning));
    expect((await status())?.state).toBe('RUNNING');
    expect(cluster.role('sink-runner-1').log).toContain(warning);
    await untilCommitted(30);
    await send('a30');
    await untilLines([...range('a', 0, 30), ...range('a', 0, 31)]);
    await untilCommitted(31);
  }, 300_000);

  it.each(['before', 'after'])(
    'lead to no duplicate when an operator resets an idle sink to the end, %s it notices',
    async (noticed) => {
      const written = await lines();
      const before = await client.admin.queryOffset(group, queue);
      const resets = async (): Promise<number> =>
        ((await status())?.warnings ?? []).filter(({ message }) => message.includes(`was reset: queue ${topic}@`)).length;
      const earlier = await resets();
      await mqadmin.run('resetOffsetByTime', '-g', group, '-t', topic, '-s', 'now');
      if (noticed === 'after') await until('the sink has noticed the reset', async () => (await resets()) > earlier);
      const sent = range(`${noticed}-`, 0, 3);
      await send(...sent);
      await untilLines([...written, ...sent]);
      await untilCommitted((before ?? 0) + sent.length);
      await until('the status shows the reset', async () => (await resets()) > earlier);
      // A queue that was read again would have shown it before this record.
      await send(`${noticed}-last`);
      await untilLines([...written, ...sent, `${noticed}-last`]);
      await untilCommitted((before ?? 0) + sent.length + 1);
    },
    300_000,
  );

  it('bring a warning where another application consumes with the group', async () => {
    const applicationWarnings = async (): Promise<readonly string[]> =>
      ((await status())?.warnings ?? []).map(({ message }) => message).filter((text) => text.includes('applications'));
    await until('brokers list the sink as a member', async () => {
      const members = await client.admin.consumerConnections(group, { queue });
      return members.some(({ clientId }) => clientId.startsWith(`sluice-${cluster.clusterId}@sink-runner-1@`));
    });
    expect(await applicationWarnings()).toEqual([]);
    const other = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv, clientId: '10.0.0.1@another-app' });
    try {
      const reader = other.consumer.readQueue(queue, { from: 0, group });
      await reader.next();
      await until('the status has the warning', async () => (await applicationWarnings()).length > 0, 120_000);
      reader.close();
    } finally {
      await other.close();
    }
    expect(await applicationWarnings()).toEqual([
      `Consumer group ${group} belongs to this sink, and other applications consume with it: client 10.0.0.1@another-app. ` +
        'They can move its offsets, so that records are lost or read twice. Give them a group of their own',
    ]);
    expect((await status())?.state).toBe('RUNNING');
  }, 300_000);

  it('are followed when an operator resets the group of a stopped sink', async () => {
    await cluster.request('PUT', '/connectors/orders-out/stop');
    await until('the task is gone', async () => (await status()) === undefined);
    const written = await lines();
    const last = (await client.admin.queryOffset(group, queue)) ?? 0;
    // mqadmin takes a time of which nothing is older: the end of the topic, and then one queue's offset.
    await mqadmin.run('resetOffsetByTime', '-g', group, '-t', topic, '-s', 'now');
    await client.admin.resetQueueOffset({ group, queue, offset: last - 1 });
    await cluster.request('PUT', '/connectors/orders-out/resume');
    await untilLines([...written, 'after-last']);
    await untilCommitted(last);
  }, 300_000);

  it('do not hide that the topic was created again and has grown beyond them; the error names the command that repairs it', async () => {
    await cluster.request('PUT', '/connectors/orders-out/stop');
    await until('the task is gone', async () => (await status()) === undefined);
    const written = await lines();
    const committed = (await client.admin.queryOffset(group, queue)) ?? 0;
    await client.admin.deleteTopic(topic);
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    await send(...range('new', 0, committed + 10));
    await cluster.request('PUT', '/connectors/orders-out/resume');
    await cluster.untilTask('orders-out', 'FAILED');
    const trace = (await status())?.trace ?? '';
    expect(trace).toContain(
      `Queue ${topic}@${queue.brokerName}:0 should be read at offset ${committed}, but the message before it was stored`,
    );
    expect(await lines()).toEqual(written);
    const [, command = ''] = /run "mqadmin ([^"]+)"/.exec(trace) ?? [];
    const [name = '', ...args] = command.replace('-n <name server> ', '').split(' ');
    await mqadmin.run(name, ...args);
    expect((await cluster.request('POST', '/connectors/orders-out/restart?includeTasks=true&onlyFailed=true')).status).toBe(202);
    await untilLines([...written, ...range('new', 0, committed + 10)]);
    await cluster.untilTask('orders-out', 'RUNNING');
  }, 300_000);

  it('stay where they were when the file is moved away while the sink runs; it resumes once the file is back', async () => {
    const written = await lines();
    await rename(cluster.path('out.txt'), cluster.path('moved.txt'));
    await send('into the moved file');
    await cluster.untilTask('orders-out', 'FAILED');
    const { trace } = (await status()) ?? {};
    expect(trace).toContain(`File ${cluster.path('out.txt')} was deleted or moved away while it was written. Restore the file, or remove`);
    await rename(cluster.path('moved.txt'), cluster.path('out.txt'));
    await cluster.request('POST', '/connectors/orders-out/restart?includeTasks=true&onlyFailed=true');
    await untilLines([...written, 'into the moved file']);
    await cluster.untilTask('orders-out', 'RUNNING');
  }, 300_000);

  it('begin at the oldest message of a queue that the topic gets later, which is found within seconds', async () => {
    const written = await lines();
    await client.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    const sentAt = performance.now();
    await client.producer.send({ ...queue, queueId: 1 }, { body: Buffer.from('in the new queue') });
    await untilLines([...written, 'in the new queue']);
    const seconds = (performance.now() - sentAt) / 1000;
    // Every 4 s, and a flush after it; before it was the age of a route in the client's cache that counted.
    expect(seconds).toBeLessThan(20);
    report('a message in a queue that came later was written after', { seconds });
  }, 300_000);
});
