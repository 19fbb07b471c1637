import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Report } from '@sluice/core';
import { ReportsChannel, type ScopedLogger } from '@sluice/node';
import { encodeReportMessage, readerGroupOf, reportsQueueOf, topicsOf } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import { createCluster } from '../../support/create-cluster.js';
import { until } from '../../support/sluice-cluster.js';

const silent: ScopedLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('the reports topic', () => {
  let client: RocketMqClient;
  beforeAll(() => {
    client = RocketMqClient.open({ namesrv: process.env['SLUICE_TEST_NAMESRV'] ?? '' });
  });
  afterAll(() => client.close());

  it('is followed though a queue has lost its end', async () => {
    const clusterId = `t${randomUUID().slice(0, 8)}`;
    const { brokerName } = await createCluster(client, clusterId);
    const topics = topicsOf(clusterId);
    const { name, queues } = topics.reports;
    const warnings: string[] = [];
    const logger = { ...silent, warn: (text: string) => warnings.push(text) };
    const channel = new ReportsChannel(client, topics, brokerName, readerGroupOf(clusterId), logger);
    const ending = new AbortController();
    const heard: number[] = [];
    const following = channel.follow((messages) => {
      for (const message of messages) if (message.kind === 'report') heard.push(message.report.reportSeq);
    }, ending.signal);
    let reportSeq = 0;
    const report = async (): Promise<void> => {
      reportSeq += 1;
      await channel.send(reportOf(reportSeq), { allowsDeltas: true, intervalMs: 1000 }, ending.signal);
    };
    // Queues are followed from when their ends are known: earlier reports are not delivered.
    await until('a report is heard', async () => {
      await report();
      return heard.length > 0;
    });
    for (let i = 0; i < 5; i += 1) await report();
    await until('all are heard', () => heard.at(-1) === reportSeq);

    await client.admin.deleteTopic(name);
    await client.admin.createTopic({ topic: name, brokerName, readQueues: queues, writeQueues: queues });
    await until('the reader has noticed', () => warnings.length > 0);
    const lost = reportSeq;
    await until('a report is heard again', async () => {
      await report();
      return (heard.at(-1) ?? 0) > lost;
    });
    const queueId = reportsQueueOf(reportOf(0).nodeId, topics);
    const queue = { topic: name, brokerName, queueId };
    const { tasks, ...fields } = reportOf(Number.MAX_SAFE_INTEGER);
    expect(tasks).toEqual([]);
    await client.producer.send(queue, { body: encodeReportMessage({ kind: 'report' }, fields, []) });
    const elsewhere = { ...queue, queueId: (queueId + 1) % queues };
    await client.producer.send(elsewhere, {
      body: encodeReportMessage({ kind: 'report' }, reportOf(reportSeq + 9), []),
    });
    await until('both foreign reports are refused', () => channel.malformedCount === 2);
    await report();
    await until('the report after them is heard', () => heard.at(-1) === reportSeq);
    expect(warnings).toContainEqual(expect.stringMatching(/node w1.*(somebody else wrote it|does not report in this queue)$/));

    expect(warnings[0]).toMatch(`Queue ${queueId} of the reports is read from its end 0`);
    ending.abort();
    await expect(following).resolves.toBeUndefined();
  }, 120_000);
});

function reportOf(reportSeq: number): Report {
  return {
    nodeId: 'w1',
    incarnation: 'i1',
    role: 'source-runner',
    reportSeq,
    sentAt: Date.now(),
    leaving: false,
    capacity: 1,
    plugins: [],
    appliedSeq: 0,
    tasks: [],
  };
}
