import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import {
  InvalidArgumentError,
  type QueueRef,
  RocketMqClient,
  type RocketMqClientOptions,
  TlsHandshakeError,
  type TlsOptions,
} from '@sluice/rocketmq';
import { makeCertificates } from './certificates.js';
import { CuttableProxy } from './cuttable-proxy.js';

const LIMIT_MS = 180_000;
const SERVER_NAME = 'rocketmq.example';

describe('a cluster that asks for client certificates', () => {
  let dir: string;
  let cluster: RunningCluster;
  let known: TlsOptions;
  let unknown: TlsOptions;
  let nameless: TlsOptions;
  let queue: QueueRef;
  const opened: RocketMqClient[] = [];

  function open(options: Partial<RocketMqClientOptions>): RocketMqClient {
    const client = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: 10_000, ...options });
    opened.push(client);
    return client;
  }

  const send = async (client: RocketMqClient): Promise<string> => (await client.producer.send(queue, { body: Buffer.from('x') })).status;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-client-cert-'));
    await makeCertificates(dir, 'server', `DNS:${SERVER_NAME}`);
    await makeCertificates(dir, 'known');
    await makeCertificates(dir, 'unknown');
    const read = (file: string): Promise<Buffer> => readFile(join(dir, file));
    nameless = { ca: await read('server-ca.pem'), servername: SERVER_NAME };
    known = { ...nameless, cert: await read('known.pem'), key: await read('known.key') };
    unknown = { ...nameless, cert: await read('unknown.pem'), key: await read('unknown.key') };
    // Permissive, since the broker itself reaches the name server without TLS.
    const tls = {
      'tls.server.mode': 'permissive',
      'tls.test.mode.enable': 'false',
      'tls.server.certPath': join(dir, 'server.pem'),
      'tls.server.keyPath': join(dir, 'server.key'),
      'tls.server.authClient': 'true',
      'tls.server.need.client.auth': 'require',
      'tls.server.trustCertPath': join(dir, 'known-ca.pem'),
    };
    cluster = await startCluster({
      name: 'client-cert',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      topology: { proxy: false },
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      tls,
    });
    const plain = open({});
    await plain.admin.createTopic({ topic: 'secured', readQueues: 1, writeQueues: 1 });
    queue = { topic: 'secured', brokerName: cluster.brokerName, queueId: 0 };
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all(opened.map((client) => client.close()));
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it('serves a client whose certificate its authority signed', async () => {
    await expect(send(open({ tls: known }))).resolves.toBe('stored');
  });

  it.each<[string, () => TlsOptions]>([
    ['without a certificate', () => nameless],
    ['with a certificate of another authority', () => unknown],
  ])('refuses a client %s before it sends anything', async (_what, tls) => {
    const client = open({ tls: tls() });
    const error: unknown = await client.admin.listTopics().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TlsHandshakeError);
    expect(error).toMatchObject({ code: 'TLS_HANDSHAKE', address: cluster.namesrv, outcome: 'not-sent' });
  });

  it('checks the server by the name that is asked for', async () => {
    const { servername: _, ...byAddress } = known;
    await expect(open({ tls: byAddress }).admin.listTopics()).rejects.toThrow('127.0.0.1');
    await expect(open({ tls: { ...known, servername: 'other.example' } }).admin.listTopics()).rejects.toThrow('other.example');
  });

  it('takes a renewed certificate at its next connection, without a restart', async () => {
    const namesrv = await CuttableProxy.to(cluster.namesrv);
    const client = open({ namesrv: namesrv.address, tls: unknown, reconnectBackoff: { initialMs: 10, maxMs: 50 } });
    try {
      await expect(client.admin.listTopics()).rejects.toBeInstanceOf(TlsHandshakeError);
      client.setTls(known);
      await expect(send(client)).resolves.toBe('stored');
      client.setTls(unknown);
      await expect(send(client)).resolves.toBe('stored');
      namesrv.cut();
      await expect(client.routes.refresh(queue.topic)).resolves.toMatchObject({ topic: queue.topic });
      await expect(client.admin.listTopics()).rejects.toBeInstanceOf(TlsHandshakeError);
      await expect(send(client)).resolves.toBe('stored');
    } finally {
      await client.close();
      await namesrv.close();
    }
  });

  it('refuses settings that cannot be used and keeps the ones it has', async () => {
    const client = open({ tls: known });
    const { key: _, ...keyless } = known;
    expect(() => {
      client.setTls(keyless);
    }).toThrow("'key' is missing");
    expect(() => {
      client.setTls({ ...known, cert: 'no certificate' });
    }).toThrow(InvalidArgumentError);
    await expect(send(client)).resolves.toBe('stored');
    expect(() => {
      open({}).setTls(known);
    }).toThrow('opened without tls');
  });
});
