import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { barrierMessage, taskId } from '@sluice/protocol';
import type { FindingsState } from '@sluice/replication';
import { encodeProperties, type QueueRef, RocketMqClient, SYS_FLAG, TOPIC_PERM } from '@sluice/rocketmq';
import { queueKey } from '@sluice/sdk';
import { repositoryRoot, until } from '../../support/sluice-cluster.js';
import { type CopierEnds, FaultyCopier } from './faulty-copier.js';

const NAME = 'same';
const FILE_BYTES = 1024 * 1024;
/** A broker deletes full files at its next look, whatever their age; the specs fill none but where they say so. */
const RETENTION = {
  mappedFileSizeCommitLog: String(FILE_BYTES),
  fileReservedTime: '0',
  deleteWhen: Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0')).join(';'),
  cleanResourceInterval: '1000',
  deleteCommitLogFilesInterval: '10',
};
/** A broker first looks for files to delete a minute after its start: what is sent until then need not be much. */
const FILL_EVERY_MS = 250;
const IDENTITIES = ['sluice-identity-000000000aaaaaaaa', 'sluice-identity-000000000bbbbbbbb'] as const;
const CONNECTOR = 'flow';
const LIMIT_MS = 300_000;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface JsonReport {
  readonly verdict: string;
  readonly compared: number;
  readonly notYetCopied: number;
  readonly queues: readonly {
    readonly source: string;
    readonly target: string | null;
    readonly verdict: string;
    readonly compared: number;
    readonly leftOut: number;
    readonly notYetCopied: number;
    readonly local: number;
    readonly otherFlows: number;
    readonly barriers: number;
    readonly findings: FindingsState;
    readonly ranges: readonly { readonly source: object; readonly target: object }[];
  }[];
}

describe('sluice verify, between two clusters of equal names', () => {
  let directory: string;
  let clusters: readonly RunningCluster[] = [];
  let ends: CopierEnds;
  let brokerName: string;
  let topics = 0;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-verify-'));
    clusters = await Promise.all(
      ['a', 'b'].map(async (side) =>
        startCluster({
          name: NAME,
          topology: { proxy: false },
          ports: await freePorts(),
          dataDir: join(directory, side),
          brokerConfig: RETENTION,
          heap: { brokerMb: 256, brokerDirectMb: 256 },
        }),
      ),
    );
    const [source, target] = clusters.map(({ namesrv }) => RocketMqClient.open({ namesrv, requestTimeoutMs: 10_000 }));
    if (source === undefined || target === undefined) throw new Error('there are no two clusters');
    ends = { source, target, sourceIdentity: IDENTITIES[0], targetIdentity: IDENTITIES[1] };
    for (const [client, topic] of [
      [source, IDENTITIES[0]],
      [target, IDENTITIES[1]],
    ] as const) {
      await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1, perm: TOPIC_PERM.READ });
      await client.admin.createGroup({ group: 'sluice-%verify' });
    }
    brokerName = clusters[0]?.brokers[0]?.brokerName ?? '';
  }, LIMIT_MS);
  afterAll(async () => {
    await Promise.all([(ends as CopierEnds | undefined)?.source.close(), (ends as CopierEnds | undefined)?.target.close()]);
    await Promise.all(clusters.map((cluster) => cluster.kill()));
    await rm(directory, { recursive: true, force: true });
  }, LIMIT_MS);

  /** Creates a topic in both clusters, and messages at the source, of each kind in turn. */
  async function newTopic(count: number, queues = 1): Promise<string> {
    const topic = `orders-${(topics += 1)}`;
    for (const client of [ends.source, ends.target]) await client.admin.createTopic({ topic, readQueues: queues, writeQueues: queues });
    for (let queueId = 0; queueId < queues; queueId += 1) await send(topic, count, queueId);
    return topic;
  }

  async function send(topic: string, count: number, queueId = 0): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const text = `message ${index} of ${queueId} `.repeat(20);
      const isCompressed = index % 3 === 1;
      await ends.source.producer.sendEncoded(queue(topic, queueId), {
        body: isCompressed ? deflateSync(text) : Buffer.from(text),
        properties: encodeProperties([
          ['UNIQ_KEY', `${topic}-${queueId}-${index}`],
          ['TAGS', 'paid'],
          ['KEYS', `k${index}`],
          ['own', 'two\nlines 🎉'],
          ...(index % 5 === 2 ? [['RECONSUME_TIME', '3'] as const] : []),
        ]),
        sysFlag: isCompressed ? SYS_FLAG.COMPRESSED | SYS_FLAG.COMPRESSION_ZLIB : 0,
        flag: index,
      });
    }
  }

  const queue = (topic: string, queueId = 0): QueueRef => ({ topic, brokerName, queueId });
  const copierOf = (topic: string, from = 0, to = from, connector = CONNECTOR): FaultyCopier =>
    new FaultyCopier(ends, connector, queue(topic, from), queue(topic, to));
  const command = (topic: string, ...words: string[]): string[] => [
    join(repositoryRoot, 'apps/cli/dist/main.js'),
    'verify',
    ...['--from', `rocketmq://${clusters[0]?.namesrv}`, '--to', `rocketmq://${clusters[1]?.namesrv}`, '--topics', topic],
    ...words,
  ];

  function run(words: readonly string[], stopAfter?: () => Promise<unknown>): Promise<Ran> {
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 100_000 });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    void stopAfter?.().then(() => child.kill('SIGINT'));
    return new Promise((resolve, reject) => {
      child.once('error', reject).once('close', (code) => {
        resolve({ code: code ?? -1, out, err });
      });
    });
  }

  async function verified(topic: string, ...words: string[]): Promise<{ readonly code: number; readonly report: JsonReport }> {
    const { code, out, err } = await run(command(topic, '--json', ...words));
    if (out === '') throw new Error(`no report: ${err}`);
    return { code, report: JSON.parse(out) as JsonReport };
  }

  it('finds equal what a flow has copied, whichever queues it chose, beside what the target has of others', async () => {
    const topic = await newTopic(30, 2);
    // Another queue than its own, so that the route alone does not tell.
    const copiers = [copierOf(topic, 0, 1), copierOf(topic, 1, 0)];
    for (const [index, copier] of copiers.entries()) {
      await ends.target.producer.send(queue(topic, index), { body: Buffer.from('of the target itself') });
      await copier.copyAll(0, 10);
    }
    const { body, properties } = barrierMessage({ task: taskId(CONNECTOR, 0), generation: 2 }, queue(topic, 0));
    await ends.target.producer.sendEncoded(queue(topic, 0), { body, properties, sysFlag: 0 });
    for (const copier of copiers) await copier.copyAll(10, 30);
    for (const words of [
      [],
      ['--connector', CONNECTOR],
      ['--queue-map', [0, 1].map((id) => `${queueKey(queue(topic, id))}=${queueKey(queue(topic, 1 - id))}`).join(',')],
    ]) {
      const { code, report } = await verified(topic, ...words);
      expect([code, report.verdict, report.compared, report.notYetCopied]).toEqual([0, 'equal', 60, 0]);
      expect(report.queues.map(({ target, local, barriers }) => [target, local, barriers])).toEqual([
        [queueKey(queue(topic, 1)), 1, 0],
        [queueKey(queue(topic, 0)), 1, 1],
      ]);
      for (const { ranges } of report.queues) for (const { source, target } of ranges) expect(target).toEqual(source);
    }
    const { code, out } = await run(command(topic));
    expect([code, out.split('\n').at(-2)]).toEqual([0, 'EQUAL: 60 messages']);
  }, 120_000);

  it('names offsets that are missing, duplicate, out of order, different or made up, and no others', async () => {
    const topic = await newTopic(40);
    const copier = copierOf(topic);
    await copier.copyAll(0, 5);
    await copier.copy([{ offset: 7 }, { offset: 6 }, { offset: 8 }, { offset: 8 }, { offset: 9, change: 'body' }]);
    await copier.copy([
      { offset: 10, change: 'flag' },
      { offset: 11, change: 'tag' },
    ]);
    await copier.copyAll(15, 30);
    const { code, report } = await verified(topic);
    expect([code, report.verdict]).toEqual([1, 'different']);
    const [only] = report.queues;
    expect(only).toMatchObject({ compared: 26, notYetCopied: 10 });
    expect(only?.findings).toEqual({
      missing: {
        count: 4,
        offsets: [
          { from: 5, last: 5 },
          { from: 12, last: 14 },
        ],
        unlisted: 0,
      },
      duplicate: { count: 1, offsets: [{ from: 8, last: 8 }], unlisted: 0 },
      'out-of-order': { count: 1, offsets: [{ from: 6, last: 6 }], unlisted: 0 },
      different: {
        count: 3,
        offsets: [
          { from: 9, last: 9, detail: 'body' },
          { from: 10, last: 10, detail: 'flag' },
          { from: 11, last: 11, detail: 'TAGS' },
        ],
        unlisted: 0,
      },
    });
    expect(only?.ranges[0]?.target).not.toEqual(only?.ranges[0]?.source);
    // What the flow has not copied is missing once somebody says that it is complete.
    const complete = await verified(topic, '--complete');
    expect(complete.report.queues[0]).toMatchObject({ notYetCopied: 0, findings: { missing: { count: 14 } } });
    const { out } = await run(command(topic));
    expect(out).toContain('4 offsets MISSING at the target\n      5\n      12 to 14\n');
  }, 120_000);

  it('counts what is still to be copied, leaves out what came through the target, and ends with 3', async () => {
    const topic = await newTopic(10);
    const hops = { properties: encodeProperties([['sluice-hops', IDENTITIES[1]]]), sysFlag: 0, body: Buffer.from('back') };
    await ends.source.producer.sendEncoded(queue(topic), hops);
    await send(topic, 5);
    await copierOf(topic).copyAll(0, 12);
    const { code, report } = await verified(topic);
    expect([code, report.verdict]).toEqual([3, 'unproven']);
    expect(report.queues[0]).toMatchObject({ compared: 11, leftOut: 1, notYetCopied: 4, findings: {} });
  }, 120_000);

  it('does not call equal what nobody can compare', async () => {
    const topic = await newTopic(10);
    const late = copierOf(topic);
    await late.copyAll(4, 10);
    const first = await verified(topic);
    expect([first.code, first.report.queues[0]?.findings]).toEqual([
      3,
      { 'before-first-copy': { count: 4, offsets: [{ from: 0, last: 3 }], unlisted: 0 } },
    ]);
    expect((await verified(topic, '--from-first-copy')).code).toBe(0);
    const none = await newTopic(3);
    expect(await verified(none)).toMatchObject({ code: 3, report: { queues: [{ target: null, notYetCopied: 3 }] } });
    expect(await verified(none, '--complete')).toMatchObject({ code: 1, report: { queues: [{ findings: { missing: { count: 3 } } }] } });
  }, 120_000);

  it('resumes after Ctrl-C where it was, and refuses the state of another comparison', async () => {
    const topic = await newTopic(40);
    const copier = copierOf(topic);
    await copier.copyAll(0, 20);
    copier.skip(1);
    await copier.copyAll(21, 40);
    const state = join(directory, 'state.json');
    const words = ['--state', state];
    const isUnderWay = async (): Promise<boolean> => {
      const text = await readFile(state, 'utf8').catch(() => '{}');
      return text.includes('"targetNext"');
    };
    const stopped = await run(command(topic, ...words, '--rate', '2'), () => until('a state is written', isUnderWay));
    expect([stopped.code, stopped.out]).toEqual([4, '']);
    expect(stopped.err).toContain('stopped by a signal');
    const kept = JSON.parse(await readFile(state, 'utf8')) as { pairs: readonly { targetNext: number }[] };
    expect(kept.pairs[0]?.targetNext).toBeGreaterThan(0);
    expect(kept.pairs[0]?.targetNext).toBeLessThan(39);
    const { code, report } = await verified(topic, ...words);
    expect([code, report.compared]).toEqual([1, 39]);
    expect(report.queues[0]?.findings).toEqual({ missing: { count: 1, offsets: [{ from: 20, last: 20 }], unlisted: 0 } });
    // A copy that comes after all makes the earlier result right again.
    await copier.copy([{ offset: 20 }]);
    const again = await verified(topic, ...words);
    expect(Object.keys(again.report.queues[0]?.findings ?? {})).toEqual(['out-of-order']);
    const other = await run(command(topic, ...words, '--connector', 'other'));
    expect(other).toMatchObject({ code: 4, err: expect.stringContaining('its connector is null, and this one has "other"') });
  }, 120_000);

  it('compares one of two flows that fill the same queue when it is named', async () => {
    const topic = await newTopic(10);
    await copierOf(topic).copyAll(0, 10);
    await copierOf(topic, 0, 0, 'older').copyAll(0, 4);
    const { code, report } = await verified(topic, '--connector', CONNECTOR);
    expect([code, report.queues[0]?.otherFlows]).toEqual([0, 4]);
    const older = await verified(topic, '--connector', 'older');
    expect(older.report.queues[0]).toMatchObject({ compared: 4, notYetCopied: 6 });
  }, 120_000);

  it.each(['source', 'target'] as const)(
    'names what retention took at the %s as unknown',
    async (side) => {
      const topic = await newTopic(20);
      const copier = copierOf(topic);
      await copier.copyAll(0, 20);
      await letRetentionTake(ends[side], queue(topic));
      await send(topic, 5);
      await copier.copyAll(20, 25);
      const { code, report } = await verified(topic);
      expect([code, report.queues[0]?.compared]).toEqual([3, 5]);
      expect(report.queues[0]?.findings).toEqual({ [`removed-at-${side}`]: { count: 20, offsets: [{ from: 0, last: 19 }], unlisted: 0 } });
    },
    200_000,
  );

  /** Fills files of the broker with other messages until all that the queue holds is gone. */
  async function letRetentionTake(client: RocketMqClient, ref: QueueRef): Promise<void> {
    const topic = 'filling';
    await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
    const end = await client.admin.maxOffset(ref);
    await until(
      'retention took all',
      async () => {
        await client.producer.send({ ...ref, topic }, { body: Buffer.alloc(FILE_BYTES / 4, 'x') });
        await delay(FILL_EVERY_MS);
        return (await client.admin.minOffset(ref)) >= end;
      },
      120_000,
    );
  }

  it('says what is wrong with its words, and what it cannot reach', async () => {
    const topic = await newTopic(1);
    expect(await run(command(topic, '--rat', '5'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean --rate?'),
    });
    expect(await run(command('no-such-topic'))).toMatchObject({
      code: 4,
      err: expect.stringContaining('no topic no-such-topic'),
    });
    const same = ['--to', `rocketmq://${clusters[0]?.namesrv}`];
    expect(await run(command(topic, ...same))).toMatchObject({ code: 4, err: expect.stringContaining('the same cluster') });
  }, 60_000);
});
