import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { forEachProperty, messageToRecord, scanStamp } from '@sluice/protocol';
import { until } from '../../support/sluice-cluster.js';
import { DataPlane, LineSource } from './data-plane.js';

const LIMIT_BYTES = 64 * 1024;

describe('records that a broker with low limits refuses', () => {
  let directory: string;
  let cluster: RunningCluster;
  let plane: DataPlane;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-refused-'));
    cluster = await startCluster({
      name: 'refused',
      ports: await freePorts(),
      dataDir: join(directory, 'data'),
      topology: { proxy: false },
      brokerConfig: { maxMessageSize: String(LIMIT_BYTES) },
    });
    plane = new DataPlane(cluster.namesrv);
  }, 200_000);
  afterAll(async () => {
    await (plane as DataPlane | undefined)?.close();
    await (cluster as RunningCluster | undefined)?.kill();
    await rm(directory, { recursive: true, force: true });
  }, 60_000);

  it('become dead letters, without the value that the broker refuses; batches that are too large only together pass', async () => {
    const topic = await plane.topic(1);
    const dead = await plane.topic(1);
    const values = Array.from({ length: 300 }, (_, n) => (n === 149 ? 'x'.repeat(2 * LIMIT_BYTES) : `${n} ${'v'.repeat(1000)}`));
    const errors = { logs: true, logsContents: false, deadLetters: { topic: dead, hasContext: true } };
    const { loop, counters, log } = await plane.source(new LineSource(topic, { file: values }), {
      settings: { skipsBadRecords: true, errors },
    });
    await until(
      'all but one are sent',
      () => counters.recordsSent === 299 && counters.bufferedRecords === 0,
      60_000,
      () => `${log.slice(-2).join('; ')} ${counters.recordsSent}`,
    );
    const [queue, letters] = [topic, dead].map((name) => ({ topic: name, brokerName: 'broker-refused', queueId: 0 }));
    const sent = (await plane.messagesOf(queue!)).filter(({ rawProperties }) => scanStamp(rawProperties) !== undefined);
    expect(sent.map(({ body }) => body.toString())).toEqual(values.filter((_, n) => n !== 149));
    const [letter, ...others] = await plane.messagesOf(letters!);
    expect(others).toEqual([]);
    expect(messageToRecord({ body: letter!.body, properties: letter!.rawProperties }).value).toBeNull();
    const properties = new Map<string, string>();
    forEachProperty(letter!.rawProperties, (name, value) => properties.set(name, value));
    expect(properties.get('__connect.errors.stage')).toBe('ROCKETMQ_PRODUCE');
    expect(properties.get('__connect.errors.omitted')).toBe(`the value, which has ${2 * LIMIT_BYTES} bytes: the broker refuses it`);
    expect(properties.get('__connect.errors.source.position')).toContain('150');
    expect(counters).toMatchObject({ recordsSkipped: 1, deadLettersWritten: 1, deadLetterFailures: 1 });
    expect(await loop.stop()).toEqual({ kind: 'stopped', clean: true });
  }, 120_000);
});
