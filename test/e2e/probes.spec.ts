import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Role } from '@sluice/core';
import { metricNamesOf, metricSpecs, processMetrics, type MetricName } from '@sluice/node';
import { topicsOf } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import { operationTimesOf } from '../support/operation-times.js';
import { metricOf, parsePrometheusText, valueOf, type Scrape } from '../support/prometheus-text.js';
import { appendLines } from '../support/sample-lines.js';
import { SmallDisk } from '../support/small-disk.js';
import { type IsolatedCluster, type RestAnswer, SluiceCluster, until } from '../support/sluice-cluster.js';

const recoveryMs = 180_000;
const answerLimitMs = 2500;
const lines = 500;

interface Check {
  readonly status: string;
  readonly reason?: string;
}

interface Health {
  readonly status: number;
  readonly details: Readonly<Record<string, Check>>;
}

const roleOf = (id: string): Role => id.replace(/-\d$/, '') as Role;
/** The runner whose store is on the small disk. */
const smallRunner = 'sink-runner-2';
const ids = ['gateway-1', 'coordinator-1', 'source-runner-1', 'sink-runner-1', smallRunner];

describe('probes and metrics of all roles', () => {
  let cluster: IsolatedCluster;
  let disk: SmallDisk | undefined;
  let client: RocketMqClient;
  const addresses = new Map<string, string>();

  beforeAll(async () => {
    cluster = await SluiceCluster.startIsolated();
    client = RocketMqClient.open({ namesrv: cluster.rocketmq.namesrv });
    disk = SmallDisk.at(cluster.path('small-disk'));
    cluster.add('sink-runner', smallRunner, { SLUICE_STORE_PATH: disk.path }).start();
    for (const id of ids) {
      const http = await until(`the address of ${id}`, async () => {
        const { nodes } = (await cluster.request('GET', '/cluster')).body as { nodes: { id: string; http?: string }[] };
        return nodes.find((node) => node.id === id)?.http;
      });
      addresses.set(id, http);
    }
  }, 180_000);

  afterAll(async () => {
    await (client as RocketMqClient | undefined)?.close();
    await cluster.role(smallRunner).kill('SIGKILL');
    disk?.close();
    await (cluster as IsolatedCluster | undefined)?.close();
  }, 180_000);

  const fetchFrom = (id: string, path: string): Promise<Response> =>
    fetch(`http://${addresses.get(id) ?? ''}${path}`, { signal: AbortSignal.timeout(10_000) });

  const health = async (id: string, probe: 'live' | 'ready'): Promise<Health> => {
    const answer = await fetchFrom(id, `/health/${probe}`);
    const { details } = (await answer.json()) as { details: Health['details'] };
    return { status: answer.status, details };
  };

  const scrape = async (id: string): Promise<Scrape> => {
    const answer = await fetchFrom(id, '/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    return parsePrometheusText(await answer.text());
  };

  const downIn = ({ details }: Health): string[] =>
    Object.entries(details).flatMap(([name, { status }]) => (status === 'down' ? [name] : []));

  const allReady = (): Promise<unknown> =>
    Promise.all(
      ids.map(async (id) => {
        let last: Health | undefined;
        await until(
          `${id} is ready`,
          async () => {
            last = await health(id, 'ready');
            return last.status === 200;
          },
          recoveryMs,
          () => `${JSON.stringify(last)}\n${cluster.role(id).log.slice(-1500)}`,
        );
      }),
    );

  /** Waits until exactly these checks of a node are down; it has to answer in time and to live all the while. */
  const untilDown = async (id: string, expected: Readonly<Record<string, RegExp>>): Promise<void> => {
    let last: Health | undefined;
    const found = await until(
      `${Object.keys(expected).join(', ')} of ${id} down`,
      async () => {
        const began = performance.now();
        last = await health(id, 'ready');
        const tookMs = performance.now() - began;
        // With the details: which check found the process unsound, and why.
        expect(await health(id, 'live')).toEqual({ status: 200, details: expect.anything() });
        const isSo = Object.keys(expected).sort().join() === downIn(last).sort().join();
        return isSo && tookMs < answerLimitMs ? last : undefined;
      },
      recoveryMs,
      () => JSON.stringify(last),
    );
    expect(found.status).toBe(503);
    for (const [name, reason] of Object.entries(expected)) expect(found.details[name]?.reason).toMatch(reason);
  };

  it('every role is ready, with one check each for what it needs', async () => {
    await allReady();
    const common = ['namesrv', 'topics', 'log', 'store', 'rpc'];
    const own: Readonly<Record<Role, string>> = {
      gateway: 'coordinator',
      coordinator: 'election',
      'source-runner': 'lease',
      'sink-runner': 'lease',
    };
    for (const id of ids) {
      expect(Object.keys((await health(id, 'ready')).details)).toEqual([...common, own[roleOf(id)]]);
      expect(Object.keys((await health(id, 'live')).details)).toEqual(['event-loop', 'process']);
    }
  });

  it('every role answers a scrape with all metrics of its list and no other', async () => {
    const ofProcess = new Set((await processMetrics()).map(({ name }) => name));
    for (const id of ids) {
      const scraped = await scrape(id);
      const own = [...scraped.types.keys()].filter((name) => !ofProcess.has(name));
      expect(own.sort()).toEqual([...metricNamesOf(roleOf(id))].sort());
      for (const sample of scraped.samples) {
        const name = metricOf(scraped, sample);
        if (ofProcess.has(name)) continue;
        const spec = metricSpecs[name as MetricName];
        expect([name, scraped.types.get(name)]).toEqual([name, spec.type]);
        const labels = Object.keys(sample.labels).filter((label) => label !== 'le');
        expect([name, labels.sort()]).toEqual([name, [...spec.labels].sort()]);
      }
      expect(valueOf(scraped, 'sluice_build_info', { role: roleOf(id), node: id, cluster: 'default' })).toBe(1);
      expect(valueOf(scraped, 'process_resident_memory_bytes')).toBeGreaterThan(0);
      expect(valueOf(scraped, 'sluice_log_behind_entries')).toBeGreaterThanOrEqual(0);
    }
    expect(valueOf(await scrape('coordinator-1'), 'sluice_coordinator_leads')).toBe(1);
  });

  it('figures follow the records, and the lag of a sink those that it does not take', async () => {
    const input = cluster.path('in.txt');
    await appendLines(input, 0, lines);
    const topic = { topic: 'lines', 'topic.creation.default.partitions': '2' };
    for (const [name, config] of [
      ['in', { 'connector.class': 'FileStreamSource', file: input, ...topic }],
      ['out', { 'connector.class': 'FileStreamSink', file: cluster.path('out.txt'), topics: 'lines' }],
    ] as const) {
      expect((await cluster.request('POST', '/connectors', { name, config })).status).toBe(201);
    }
    const sinks = async (name: string): Promise<number> => {
      const values = [await scrape('sink-runner-1'), await scrape(smallRunner)].map((scraped) =>
        valueOf(scraped, name, { connector: 'out' }),
      );
      return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
    };
    await until('all lines are out', async () => (await sinks('sluice_connector_records_out_total')) === lines);
    const ofSource = operationTimesOf([await scrape('source-runner-1')], 'in');
    expect(ofSource.total('sluice_task_records_out_total')).toBe(lines);
    expect(ofSource.count('send')).toBe(ofSource.total('sluice_task_batches_out_total'));
    expect(ofSource.count('convert')).toBe(ofSource.total('sluice_task_batches_in_total'));
    expect(ofSource.count('poll')).toBeGreaterThanOrEqual(ofSource.count('convert'));
    const ofSink = operationTimesOf([await scrape('sink-runner-1'), await scrape(smallRunner)], 'out');
    expect(ofSink.total('sluice_task_records_out_total')).toBe(lines);
    expect(ofSink.count('put')).toBe(ofSink.total('sluice_task_batches_out_total'));
    expect(ofSink.count('convert')).toBeGreaterThanOrEqual(ofSink.count('put'));
    await until('no lag', async () => (await sinks('sluice_connector_offset_commits_total')) > 0);
    const source = await scrape('source-runner-1');
    expect(valueOf(source, 'sluice_connector_records_in_total', { connector: 'in' })).toBe(lines);
    expect(valueOf(source, 'sluice_connector_records_out_total', { connector: 'in' })).toBe(lines);
    expect(valueOf(source, 'sluice_connector_bytes_out_total', { connector: 'in' })).toBeGreaterThan(lines);
    expect(await sinks('sluice_connector_bytes_in_total')).toBeGreaterThan(lines);
    const model = await scrape('gateway-1');
    expect(valueOf(model, 'sluice_tasks', { connector: 'out', state: 'RUNNING' })).toBe(1);
    expect(valueOf(model, 'sluice_tasks_unassigned', { role: 'sink-runner' })).toBe(0);
    expect(valueOf(model, 'sluice_commands_total', { result: 'done' })).toBe(2);
    expect(valueOf(model, 'sluice_rpc_request_duration_seconds_count', { outcome: 'answered' })).toBeGreaterThan(0);

    expect((await cluster.request('PUT', '/connectors/out/pause')).status).toBe(202);
    await cluster.untilTask('out', 'PAUSED');
    await appendLines(input, lines, 2 * lines);
    await until('the lag is reported', async () => (await sinks('sluice_connector_lag_messages')) === lines);
    expect(operationTimesOf([await scrape('sink-runner-1'), await scrape(smallRunner)], 'out').total('sluice_task_lag_messages')).toBe(
      lines,
    );
    expect((await cluster.request('PUT', '/connectors/out/resume')).status).toBe(202);
    await until('the lag is gone', async () => (await sinks('sluice_connector_lag_messages')) === 0);
    expect(await sinks('sluice_connector_records_out_total')).toBe(2 * lines);
  }, 180_000);

  it('a level of a log is set in every node that has the logger', async () => {
    const set = (logger: string, level: string): Promise<RestAnswer> =>
      cluster.request('PUT', `/admin/loggers/${logger}?scope=cluster`, { level });
    // Only the coordinator has this one: the gateway learns that from its answer.
    expect(await set('coordinator', 'DEBUG')).toMatchObject({ status: 204 });
    expect(await set('nobody', 'DEBUG')).toMatchObject({ status: 404 });
    const runner = cluster.role('source-runner-1');
    const generationOf = async (name: string): Promise<number> => {
      const { body } = await cluster.request('GET', `/connectors/${name}/status`);
      const [task] = (body as { readonly tasks: readonly { readonly state: string; readonly generation: number }[] }).tasks;
      return task?.state === 'RUNNING' ? task.generation : 0;
    };
    const restarts = async (level: string): Promise<string> => {
      expect(await set('tasks', level)).toMatchObject({ status: 204 });
      const { length } = runner.log;
      const before = await generationOf('in');
      await cluster.request('POST', '/connectors/in/restart?includeTasks=true');
      await until('the task runs again', async () => (await generationOf('in')) > before, recoveryMs);
      return runner.log.slice(length);
    };
    expect(await restarts('WARN')).not.toContain('[tasks] Starting in-0');
    expect(await restarts('INFO')).toContain('[tasks] Starting in-0');
  }, 180_000);

  it('a full disk shows in the store check of the role that writes there', async () => {
    if (disk === undefined) throw new Error('no disk');
    const { pid } = cluster.role(smallRunner);
    disk.fillFor(pid);
    try {
      await untilDown(smallRunner, {
        store: new RegExp(`cannot write to ${disk.path}/.*\\(${disk.fullCode}\\), the `),
      });
      expect(downIn(await health('sink-runner-1', 'ready'))).toEqual([]);
    } finally {
      disk.clearFor(pid);
    }
    await allReady();
  }, 180_000);

  it('a name server that is down shows in its check, and the log is read on', async () => {
    const [nameServer] = cluster.rocketmq.nameServers;
    if (nameServer === undefined) throw new Error('no name server');
    await nameServer.kill();
    const reasons = {
      namesrv: /^No name server answers at 127\.0\.0\.1:\d+: .+\. Start one, or correct the addresses/,
      topics: /^The topics cannot be looked up while no name server answers/,
    };
    await Promise.all(ids.map((id) => untilDown(id, reasons)));
    await nameServer.start();
    await allReady();
  }, 180_000);

  it('a broker that is down makes every role unready, and none dead; scrapes are answered', async () => {
    await cluster.rocketmq.killBroker();
    const { brokerName } = cluster.rocketmq;
    const reasons = {
      log: new RegExp(`^The log sluice-default-log cannot be read from broker ${brokerName}: .+\\. Start the broker`),
      rpc: /^The Proxy 127\.0\.0\.1:\d+ cannot be used \((connecting|failed)\)/,
      topics: new RegExp(`^Broker ${brokerName}, which holds the topics, is not registered`),
    };
    await Promise.all(
      ids.map(async (id) => {
        const isRunner = roleOf(id).endsWith('runner');
        await untilDown(id, isRunner ? { ...reasons, lease: /^No contact to the log: tasks pause/ } : reasons);
        const scraped = await scrape(id);
        expect(valueOf(scraped, 'sluice_rpc_ready')).toBe(0);
        expect(valueOf(scraped, 'sluice_log_age_seconds')).toBeGreaterThan(0);
      }),
    );
    await cluster.rocketmq.startBroker();
    await allReady();
  }, 240_000);

  it('a missing topic shows by name, also without a coordinator; the gateway stays ready to be read and says so', async () => {
    await cluster.role('coordinator-1').kill('SIGKILL');
    const others = ids.filter((id) => id !== 'coordinator-1');
    const { positions } = topicsOf('default');
    await client.admin.deleteTopic(positions.name);
    const reasons = { topics: new RegExp(`^Topic ${positions.name} does not exist on broker`) };
    await Promise.all(others.map((id) => untilDown(id, reasons)));
    await client.admin.createTopic({
      topic: positions.name,
      readQueues: positions.queues,
      writeQueues: positions.queues,
      brokerName: cluster.rocketmq.brokerName,
    });
    const isUp = async (id: string): Promise<boolean> => (await health(id, 'ready')).details['topics']?.status === 'up';
    await Promise.all(others.map((id) => until(`${id} finds it`, () => isUp(id), recoveryMs)));

    const silent = await until(
      'the silence is reported',
      async () => {
        const found = await health('gateway-1', 'ready');
        return 'changesRefused' in (found.details['coordinator'] ?? {}) ? found : undefined;
      },
      recoveryMs,
    );
    expect(silent.status).toBe(200);
    const scraped = await scrape('gateway-1');
    expect(valueOf(scraped, 'sluice_leader_silence_seconds')).toBeGreaterThan(5);
    expect(valueOf(scraped, 'sluice_tasks', { connector: 'out', state: 'RUNNING' })).toBe(1);
  }, 180_000);
});
