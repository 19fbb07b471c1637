import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BrokerHandle, freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type RocketMqClient, TOPIC_PERM } from '@sluice/rocketmq';
import type { TaskConfig } from '@sluice/sdk';
import { openCluster } from '../../../libs/connectors/rocketmq/src/cluster/cluster-client.js';
import { clusterIdentity } from '../../../libs/connectors/rocketmq/src/cluster/cluster-identity.js';
import { ACL_2, ACL_ADMIN } from '../../support/acl.js';
import { until } from '../../support/sluice-cluster.js';
import { makeCertificates } from '../rocketmq/certificates.js';

const LIMIT_MS = 400_000;
const heap = { brokerMb: 256, brokerDirectMb: 256 };

describe('the identity of real clusters that have equal names', () => {
  let dir: string;
  let open: RunningCluster;
  let secured: RunningCluster;
  const clients: RocketMqClient[] = [];
  const warnings: string[] = [];

  function clientOf({ namesrv }: RunningCluster, more: TaskConfig = {}): RocketMqClient {
    const config = { 'source.cluster.url': `rocketmq://${namesrv.replaceAll(';', ',')}`, ...more };
    const client = openCluster('source.cluster.', config, { requestTimeoutMs: 10_000 });
    clients.push(client);
    return client;
  }
  const asUser = (accessKey: string, secretKey: string): RocketMqClient =>
    clientOf(secured, { 'source.cluster.access.key': accessKey, 'source.cluster.secret.key': secretKey });
  const asAdmin = (): RocketMqClient => asUser(ACL_ADMIN.accessKey, ACL_ADMIN.secretKey);
  const identityOf = (client: RocketMqClient): Promise<string> =>
    clusterIdentity(client, {
      setting: 'source.cluster.url',
      signal: AbortSignal.timeout(60_000),
      warn: (message) => warnings.push(message),
    });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-identity-'));
    await makeCertificates(dir, 'right');
    await makeCertificates(dir, 'wrong');
    const common = { name: 'twin', heap, startTimeoutMs: 300_000 };
    const brokers = [{ name: 'broker-a' }, { name: 'broker-b' }];
    const securing = {
      brokerConfig: ACL_2,
      tls: {
        'tls.server.mode': 'permissive',
        'tls.test.mode.enable': 'false',
        'tls.server.certPath': join(dir, 'right.pem'),
        'tls.server.keyPath': join(dir, 'right.key'),
      },
    };
    [open, secured] = await Promise.all([
      startCluster({ ...common, ports: await freePorts(), dataDir: join(dir, 'open'), topology: { brokers, proxy: false } }),
      startCluster({
        ...common,
        ...securing,
        ports: await freePorts(),
        dataDir: join(dir, 'secured'),
        topology: { brokers: brokers.slice(0, 1), proxy: false },
      }),
    ]);
  }, LIMIT_MS);
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    for (const cluster of [open, secured] as (RunningCluster | undefined)[]) await cluster?.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it(
    'is the same for all who create it at once and later, another one in each cluster, and on every broker',
    async () => {
      const [first, second] = [clientOf(open), clientOf(open)];
      const [one, other, ofSecured] = await Promise.all([identityOf(first), identityOf(second), identityOf(asAdmin())]);
      expect(one).toBe(other);
      expect(one).not.toBe(ofSecured);
      await expect(identityOf(clientOf(open))).resolves.toBe(one);
      await expect(identityOf(asAdmin())).resolves.toBe(ofSecured);
      const configs = await first.admin.topicConfig(one);
      expect([...configs.keys()].sort()).toEqual(['broker-a', 'broker-b']);
      for (const { perm } of configs.values()) expect(perm).toBe(TOPIC_PERM.READ);
      expect(warnings).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'stays while a broker is unavailable and when the name servers have restarted; a broker that lacks it gets it',
    async () => {
      const client = clientOf(open);
      const before = await identityOf(client);
      const [first, second] = open.brokers as [BrokerHandle, BrokerHandle];
      const known = async (count: number): Promise<boolean> => (await client.admin.clusterInfo()).brokers.length === count;
      await second.stop();
      await until('one broker is known', () => known(1));
      await expect(identityOf(client)).resolves.toBe(before);
      await client.admin.deleteTopic(before);
      const created = await identityOf(client);
      expect(created).not.toBe(before);
      await second.start();
      await until('both brokers are known', () => known(2));
      // The broker that was stopped has kept the older one.
      await expect(identityOf(client)).resolves.toBe(before);
      expect([...(await client.admin.topicConfig(before)).keys()].sort()).toEqual(['broker-a', 'broker-b']);
      await first.stop();
      await until('the other broker alone is known', () => known(1));
      const [nameServer] = open.nameServers;
      await nameServer?.stop();
      await nameServer?.start();
      await until('the other broker has registered again', () => known(1).catch(() => false));
      await expect(identityOf(clientOf(open))).resolves.toBe(before);
      await first.start();
    },
    LIMIT_MS,
  );

  it(
    'needs one permission where it is to be created, which the error names, and none where it is there',
    async () => {
      const admin = asAdmin();
      const before = await identityOf(admin);
      await admin.acl.createUser({ username: 'visitor', password: 'password1' });
      await expect(identityOf(asUser('visitor', 'password1'))).resolves.toBe(before);
      await admin.admin.deleteTopic(before);
      const refusal = identityOf(asUser('visitor', 'password1'));
      await expect(refusal).rejects.toMatchObject({ code: 'CONNECT_CONFIG_INVALID', retriable: false });
      await expect(refusal).rejects.toThrow(
        /^source\.cluster\.url: .*the actions Create and Get on topics that begin with sluice-identity- \(ACL 2\.0\)/,
      );
      await expect(refusal).rejects.not.toThrow('password1');
      await admin.acl.createAcl({
        subject: 'User:visitor',
        rules: [{ resource: 'Topic:sluice-identity-*', actions: ['Create', 'Get'], sourceIps: [], decision: 'Allow' }],
      });
      const created = await identityOf(asUser('visitor', 'password1'));
      expect(created).not.toBe(before);
      await expect(identityOf(admin)).resolves.toBe(created);
    },
    LIMIT_MS,
  );

  it(
    'is the same over TLS with the file of its authority, and unknown with that of another one',
    async () => {
      const before = await identityOf(asAdmin());
      const overTls = (authority: string): RocketMqClient =>
        clientOf(secured, {
          'source.cluster.access.key': ACL_ADMIN.accessKey,
          'source.cluster.secret.key': ACL_ADMIN.secretKey,
          'source.cluster.tls.enable': 'true',
          'source.cluster.tls.ca.file': join(dir, authority),
        });
      await expect(identityOf(overTls('right-ca.pem'))).resolves.toBe(before);
      await expect(identityOf(overTls('wrong-ca.pem'))).rejects.toThrow(/^source\.cluster\.url: .*certificate/i);
      expect(() => overTls('none.pem')).toThrow(/^source\.cluster\.tls\.ca\.file: ENOENT/);
    },
    LIMIT_MS,
  );

  it(
    'cannot be created with keys that the cluster refuses, and that is said',
    async () => {
      const admin = asAdmin();
      await admin.admin.deleteTopic(await identityOf(admin));
      await expect(identityOf(asUser(ACL_ADMIN.accessKey, 'the-wrong-secret'))).rejects.toThrow(
        /^source\.cluster\.url: the cluster refuses the keys: /,
      );
    },
    LIMIT_MS,
  );
});
