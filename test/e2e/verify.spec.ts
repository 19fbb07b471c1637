import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, readFileSync } from 'node:fs';
import { mergeReports, type Verdict } from '@sluice/verify-sink';
import { SluiceCluster, until } from '../support/sluice-cluster.js';

interface CreateRequest {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
}

const records = 20_000;
const ofPartitions = [5000, 5000, 5000, 5000];

const example = (path: string): CreateRequest =>
  JSON.parse(readFileSync(new URL(`../../libs/connectors/${path}`, import.meta.url), 'utf8')) as CreateRequest;

describe('numbered records through a topic into the verifier', () => {
  let cluster: SluiceCluster;

  beforeAll(async () => {
    cluster = await SluiceCluster.start();
  }, 120_000);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
  }, 60_000);

  /** Posts the examples of both connectors, changed as said, with a folder of reports of their own. */
  const startFlow = async (
    name: string,
    source: Readonly<Record<string, string>>,
    sink: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const folder = cluster.path(`${name}-reports`);
    mkdirSync(folder);
    const verifier = example('verify-sink/examples/verify-a-load.json');
    const generator = example('datagen-source/examples/full-speed.json');
    for (const [suffix, config] of [
      ['out', { ...verifier.config, topics: name, 'report.dir': folder, ...sink }],
      ['in', { ...generator.config, topic: name, ...source }],
    ] as const) {
      const answer = await cluster.request('POST', '/connectors', { name: `${name}-${suffix}`, config });
      expect(answer).toMatchObject({ status: 201 });
    }
    return folder;
  };

  const untilRecords = async (folder: string, seed: number, count: number): Promise<Verdict> => {
    let verdict = await mergeReports(folder, { seed, ofPartitions });
    return until(
      `${String(count)} records are verified`,
      async () => {
        verdict = await mergeReports(folder, { seed, ofPartitions });
        return verdict.records >= count ? verdict : undefined;
      },
      90_000,
      () =>
        `${JSON.stringify({ ...verdict, examples: [] })}\n` +
        cluster.roles.map((role) => `--- ${role.id}\n${role.log.slice(-1500)}`).join('\n'),
    );
  };

  const expectClean = (verdict: Verdict, seed: number): void => {
    expect(verdict.examples).toEqual([]);
    expect(verdict).toMatchObject({
      complete: true,
      clean: true,
      records,
      missing: 0,
      doubles: 0,
      outOfOrder: 0,
      damaged: 0,
      keys: { count: 100, missing: 0, doubles: 0, outOfOrder: 0 },
      partitions: ofPartitions.map((count, partition) => ({
        seed,
        partition,
        records: count,
        first: 0,
        last: count - 1,
      })),
    });
  };

  it('all come once, in order and whole: 20,000 of 4 partitions in 2 tasks, as fast as possible, into 2 tasks', async () => {
    const folder = await startFlow('verified', {});
    const verdict = await untilRecords(folder, 1, records);
    expectClean(verdict, 1);
    expect(verdict.latencyMs?.max).toBeGreaterThanOrEqual(verdict.latencyMs?.p50 ?? Infinity);
    const { body } = await cluster.request('GET', '/connectors/verified-out/status');
    expect((body as { tasks: unknown[] }).tasks).toHaveLength(2);
  }, 120_000);

  it('all come once when sink runner and source runner are killed in between', async () => {
    const folder = await startFlow('killed', { seed: '2', rate: '1000' }, { 'offset.flush.interval.ms': '200' });
    for (const [id, share] of [
      ['sink-runner-1', 0.1],
      ['source-runner-1', 0.4],
      ['sink-runner-1', 0.7],
    ] as const) {
      const { records: before } = await untilRecords(folder, 2, records * share);
      expect(before).toBeLessThan(records);
      const runner = cluster.role(id);
      await runner.kill('SIGKILL');
      runner.start();
    }
    expectClean(await untilRecords(folder, 2, records), 2);
  }, 300_000);
});
