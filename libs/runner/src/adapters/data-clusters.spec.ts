import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { RocketMqClient } from '@sluice/rocketmq';
import type { TaskConfig } from '@sluice/sdk';
import { DataClusters } from './data-clusters.js';

/** Nobody listens there: clients connect at first use. */
const B: TaskConfig = { 'data.cluster.url': 'rocketmq://127.0.0.1:1' };
const queue = { topic: 't', brokerName: 'b', queueId: 0 };

describe('the clusters of connectors', () => {
  const client = RocketMqClient.open({ namesrv: '127.0.0.1:1' });
  const folder = mkdtempSync(join(tmpdir(), 'sluice-clusters-'));
  const opened: DataClusters[] = [];
  function open(): DataClusters {
    const clusters = new DataClusters({ clusterId: 'main', client, clientId: 'sluice-main@w@i', requestTimeoutMs: 100 });
    opened.push(clusters);
    return clusters;
  }
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('is the one of the runner where a connector names none, which stays open', () => {
    const clusters = open();
    const { cluster, release } = clusters.use({});
    expect(cluster).toBe(clusters.own);
    expect(clusters.isOwn({})).toBe(true);
    release();
    expect(client.isClosed).toBe(false);
    expect(clusters.size).toBe(0);
  });

  it('share one client among tasks with the same settings, which the last one closes', () => {
    const clusters = open();
    const [first, second] = [clusters.use({ ...B, name: 'x' }), clusters.use({ ...B, name: 'y' })];
    expect(clusters.isOwn(B)).toBe(false);
    expect(first.cluster).toBe(second.cluster);
    expect(first.cluster).not.toBe(clusters.own);
    expect(first.cluster.client.clientId).toBe('sluice-main@w@i@c1');
    first.release();
    first.release();
    expect(first.cluster.client.isClosed).toBe(false);
    second.release();
    expect(first.cluster.client.isClosed).toBe(true);
    expect(clusters.size).toBe(0);
    expect(clusters.use(B).cluster.client.isClosed).toBe(false);
  });

  it('have clients of their own for other keys, flags and contents of files', () => {
    const clusters = open();
    const ca = join(folder, 'ca.pem');
    const tls = { ...B, 'data.cluster.tls.enable': 'true', 'data.cluster.tls.ca.file': ca };
    const keys = { ...B, 'data.cluster.access.key': 'a', 'data.cluster.secret.key': 's' };
    const clients = [B, keys, { ...keys, 'data.cluster.secret.key': 'other' }, { ...B, 'data.cluster.vip': 'true' }].map(
      (config) => clusters.use(config).cluster.client,
    );
    writeFileSync(ca, '');
    clients.push(clusters.use(tls).cluster.client, clusters.use(tls).cluster.client);
    writeFileSync(ca, '\n');
    clients.push(clusters.use(tls).cluster.client);
    expect(new Set(clients).size).toBe(clients.length - 1);
  });

  it('are limited', () => {
    const clusters = open();
    const uses = Array.from({ length: 64 }, (_, n) => clusters.use({ 'data.cluster.url': `rocketmq://127.0.0.1:${n + 1}` }));
    const more = (): unknown => clusters.use({ 'data.cluster.url': 'rocketmq://127.0.0.1:65' });
    expect(more).toThrow(
      expect.objectContaining({ message: expect.stringContaining('data.cluster.url: tasks of this runner use 64 other') }),
    );
    uses[0]?.release();
    expect(more).not.toThrow();
  });

  it('refuse settings that are wrong, by name', () => {
    const clusters = open();
    expect(() => clusters.use({ 'data.cluster.url': 'rocketmq+grpc://proxy' })).toThrow('A Proxy (gRPC)');
    const tls = { ...B, 'data.cluster.tls.enable': 'true', 'data.cluster.tls.ca.file': join(folder, 'none') };
    expect(() => clusters.use(tls)).toThrow('data.cluster.tls.ca.file: ENOENT');
    expect(clusters.size).toBe(0);
  });

  it('are in use while an action runs, also one that fails', async () => {
    const clusters = open();
    const failed = clusters.within(B, async ({ client: used }) => {
      expect(clusters.size).toBe(1);
      await Promise.resolve();
      throw new Error(`with ${used.isClosed ? 'a closed' : 'an open'} client`);
    });
    await expect(failed).rejects.toThrow('with an open client');
    expect(clusters.size).toBe(0);
  });

  it('are opened for the ends of queues at the first question, and never after the release', async () => {
    const clusters = open();
    const ends = clusters.endsOf(B);
    expect(clusters.size).toBe(0);
    await expect(ends.endOffset(queue)).rejects.toThrow(/127\.0\.0\.1:1|route of topic 't'/);
    expect(clusters.size).toBe(1);
    ends.release();
    expect(clusters.size).toBe(0);
    await expect(ends.endOffset(queue)).rejects.toThrow('Nobody asks');
    expect(clusters.size).toBe(0);
    await expect(clusters.endsOf({ 'data.cluster.url': 'x' }).endOffset(queue)).rejects.toThrow('data.cluster.url');
  });

  it('are all closed with the runner, and no more are opened', async () => {
    const clusters = open();
    const { cluster } = clusters.use(B);
    await clusters.close();
    expect(cluster.client.isClosed).toBe(true);
    expect(client.isClosed).toBe(false);
    expect(() => clusters.use(B)).toThrow('has closed its connections');
  });
});
