import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import {
  AuthenticationError,
  AuthorizationError,
  type Credentials,
  encodeOffsetMessageId,
  type QueueRef,
  RocketMqClient,
  type RocketMqClientOptions,
  TlsHandshakeError,
} from '@sluice/rocketmq';
import { ACL_2, ACL_ADMIN as ADMIN } from '../../support/acl.js';
import { until } from '../../support/sluice-cluster.js';
import { makeCertificates } from './certificates.js';

const LIMIT_MS = 180_000;
const NO_PERMISSION = 16;
describe('a cluster with ACL 2.0 and TLS', () => {
  let dir: string;
  let cluster: RunningCluster;
  let admin: RocketMqClient;
  let allowed: QueueRef;
  let denied: QueueRef;
  const opened: RocketMqClient[] = [];

  function open(options: Omit<RocketMqClientOptions, 'namesrv'>): RocketMqClient {
    const client = RocketMqClient.open({ namesrv: cluster.namesrv, ...options });
    opened.push(client);
    return client;
  }

  const send = async (client: RocketMqClient, queue: QueueRef): Promise<string> =>
    (await client.producer.send(queue, { body: Buffer.from('x') })).status;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-acl-tls-'));
    await makeCertificates(dir, 'right');
    await makeCertificates(dir, 'wrong');
    const tls = {
      'tls.server.mode': 'permissive',
      'tls.test.mode.enable': 'false',
      'tls.server.certPath': join(dir, 'right.pem'),
      'tls.server.keyPath': join(dir, 'right.key'),
    };
    cluster = await startCluster({
      name: 'secured',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      topology: { proxy: false },
      brokerConfig: ACL_2,
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      tls,
    });
    admin = open({ credentials: ADMIN });
    await admin.admin.createTopic({ topic: 'allowed', readQueues: 1, writeQueues: 1 });
    await admin.admin.createTopic({ topic: 'denied', readQueues: 1, writeQueues: 1 });
    await admin.admin.createGroup({ group: 'readers' });
    allowed = { topic: 'allowed', brokerName: 'broker-secured', queueId: 0 };
    denied = { ...allowed, topic: 'denied' };
  }, LIMIT_MS);

  afterAll(async () => {
    await Promise.all(opened.map((client) => client.close()));
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it('knows who has the right keys and refuses missing, unknown and wrong ones', async () => {
    await expect(send(admin, allowed)).resolves.toBe('stored');
    const refused = [
      undefined,
      { accessKey: 'nobody', secretKey: ADMIN.secretKey },
      { accessKey: ADMIN.accessKey, secretKey: 'the-wrong-secret' },
    ];
    for (const credentials of refused) {
      const client = open({ credentials });
      const error: unknown = await send(client, allowed).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(AuthenticationError);
      expect(error).toMatchObject({ code: 'AUTHENTICATION', retriable: false });
      expect(String(error)).not.toContain('the-wrong-secret');
      await expect(client.admin.listGroups()).rejects.toBeInstanceOf(AuthenticationError);
    }
  });

  it('lets a user do on one topic what its rules allow, until they are deleted', async () => {
    await admin.acl.createUser({ username: 'one-topic', password: 'password1' });
    const rules = [
      { resource: 'Topic:allowed', actions: ['Pub', 'Sub'], sourceIps: [], decision: 'Allow' },
      { resource: 'Group:readers', actions: ['Sub'], sourceIps: [], decision: 'Allow' },
    ] as const;
    await admin.acl.createAcl({ subject: 'User:one-topic', rules });
    expect(await admin.acl.listAcls()).toEqual([{ subject: 'User:one-topic', rules }]);
    const user = open({ credentials: { accessKey: 'one-topic', secretKey: 'password1' } });
    await expect(send(user, allowed)).resolves.toBe('stored');
    const pull = await user.consumer.pull({ queue: allowed, offset: 0, group: 'readers', suspendMs: 5000 });
    expect(pull.kind).toBe('found');
    await expect(send(user, denied)).rejects.toBeInstanceOf(AuthorizationError);
    await expect(user.consumer.pull({ queue: denied, offset: 0, group: 'readers' })).rejects.toThrow('Topic:denied');
    await expect(user.acl.listUsers()).rejects.toMatchObject({ code: 'AUTHORIZATION', retriable: false });
    await admin.acl.deleteAcl({ subject: 'User:one-topic', resource: 'Topic:allowed' });
    await expect(send(user, allowed)).rejects.toBeInstanceOf(AuthorizationError);
    await admin.acl.deleteAcl({ subject: 'User:one-topic' });
    await admin.acl.deleteAcl({ subject: 'User:one-topic' });
    expect(await admin.acl.listAcls()).toEqual([]);
    await admin.acl.deleteUser('one-topic');
    await admin.acl.deleteUser('one-topic');
    await expect(send(user, allowed)).rejects.toBeInstanceOf(AuthenticationError);
  });

  it('reads and changes the rules of one user', async () => {
    expect(await admin.acl.getUser('ruled')).toBeUndefined();
    expect(await admin.acl.getAcl('User:ruled')).toBeUndefined();
    await admin.acl.createUser({ username: 'ruled', password: 'password1' });
    expect(await admin.acl.getUser('ruled')).toEqual({ username: 'ruled', userType: 'Normal', isEnabled: true });
    const subject = 'User:ruled';
    const rule = { actions: ['Sub'], sourceIps: [], decision: 'Allow' } as const;
    const onGroup = { ...rule, resource: 'Group:readers' };
    await admin.acl.createAcl({ subject, rules: [{ ...rule, resource: 'Topic:allowed' }, onGroup] });
    const user = open({ credentials: { accessKey: 'ruled', secretKey: 'password1' } });
    await expect(send(user, allowed)).rejects.toBeInstanceOf(AuthorizationError);
    const onTopic = { ...rule, resource: 'Topic:allowed', actions: ['Pub', 'Sub'] } as const;
    await admin.acl.updateAcl({ subject, rules: [onTopic] });
    const acl = await admin.acl.getAcl(subject);
    expect(acl?.rules).toHaveLength(2);
    expect(acl?.rules).toEqual(expect.arrayContaining([onTopic, onGroup]));
    await expect(send(user, allowed)).resolves.toBe('stored');
    await admin.acl.deleteAcl({ subject });
    await admin.acl.deleteUser('ruled');
    expect(await admin.acl.getUser('ruled')).toBeUndefined();
  });

  it('lets an admin find messages by key and reset offsets', async () => {
    const properties: [string, string][] = [
      ['KEYS', 'found-by-key'],
      ['UNIQ_KEY', 'found-by-id'],
    ];
    const { firstOffset } = await admin.producer.send(allowed, { body: Buffer.from('x'), properties });
    const { messages } = admin.admin;
    const [byKey] = await until('the index has the message', async () => {
      const found = await messages.byKey({ topic: 'allowed', key: 'found-by-key' });
      return found.messages.length === 1 && found.messages;
    });
    expect(byKey?.queueOffset).toBe(firstOffset);
    const byId = await messages.byUniqueKey({ topic: 'allowed', key: 'found-by-id' });
    expect(byId.messages.map((message) => message.queueOffset)).toEqual([firstOffset]);
    const [host = '', port] = cluster.brokerAddr.split(':');
    const { commitLogOffset } = byKey!;
    const offsetId = encodeOffsetMessageId({ host, port: Number(port), commitLogOffset });
    expect((await messages.byOffsetId(offsetId, { topic: 'allowed' }))?.queueOffset).toBe(firstOffset);
    await admin.admin.createGroup({ group: 'resetters' });
    const reset = await admin.admin.resetOffsets({ group: 'resetters', topic: 'allowed', to: 'earliest' });
    expect(reset).toEqual([{ queue: allowed, offset: 0 }]);
  });

  it('continues with credentials that change while the client runs', async () => {
    await admin.acl.createUser({ username: 'rotating', password: 'before-1', userType: 'Super' });
    let secretKey = 'before-1';
    const client = open({ credentials: () => Promise.resolve({ accessKey: 'rotating', secretKey }) });
    const fixed = open({ credentials: { accessKey: 'rotating', secretKey } });
    await expect(send(client, allowed)).resolves.toBe('stored');
    await expect(send(fixed, allowed)).resolves.toBe('stored');
    await admin.acl.updateUser({ username: 'rotating', password: 'after-22' });
    await expect(send(client, allowed)).rejects.toBeInstanceOf(AuthenticationError);
    secretKey = 'after-22';
    await expect(send(client, allowed)).resolves.toBe('stored');
    secretKey = 'after-333';
    await admin.acl.updateUser({ username: 'rotating', password: secretKey });
    // The client still holds the keys that it used a moment ago.
    await expect(send(client, allowed)).resolves.toBe('stored');
    await expect(send(fixed, allowed)).rejects.toBeInstanceOf(AuthenticationError);
    fixed.setCredentials({ accessKey: 'rotating', secretKey });
    await expect(send(fixed, allowed)).resolves.toBe('stored');
    await admin.acl.updateUser({ username: 'rotating', isEnabled: false });
    await expect(send(client, allowed)).rejects.toThrow('is disabled');
    const users = await admin.acl.listUsers();
    expect(users).toContainEqual({ username: 'rotating', userType: 'Super', isEnabled: false });
  });

  it(
    'stores every send once while keys are rotated in place, on the broker and in the file',
    async () => {
      const keys = join(dir, 'keys.json');
      const rotate = async (password: string): Promise<void> => {
        await admin.acl.updateUser({ username: 'in-place', password });
        await writeFile(keys, JSON.stringify({ accessKey: 'in-place', secretKey: password }));
      };
      await admin.acl.createUser({ username: 'in-place', password: 'rotated-0', userType: 'Super' });
      await rotate('rotated-0');
      let rotation = Promise.resolve();
      let refused = 0;
      const client = open({
        credentials: async () => {
          // Whoever rotates keys keeps readers of the file out until the broker knows the new ones.
          await rotation;
          return JSON.parse(await readFile(keys, 'utf8')) as Credentials;
        },
        onEvent: (event) => {
          if (event.kind === 'request-ended' && event.responseCode === NO_PERMISSION) refused += 1;
        },
      });
      const producer = client.topicProducer('allowed');
      const from = await admin.admin.maxOffset(allowed);
      const sent: string[] = [];
      let isOver = false;
      const lane = async (name: string, sendOne: (body: Buffer) => Promise<unknown>): Promise<void> => {
        for (let number = 0; !isOver; number += 1) {
          const body = `${name} ${number}`;
          await sendOne(Buffer.from(body));
          sent.push(body);
        }
      };
      const lanes = Promise.all([
        lane('single', (body) => client.producer.send(allowed, { body })),
        lane('other single', (body) => client.producer.send(allowed, { body })),
        lane('collected', (body) => producer.send({ body, queue: allowed })),
        lane('of many', (body) => producer.sendAll([{ body, queue: allowed }])),
      ]);
      try {
        for (let turn = 1; turn <= 20 && (turn <= 3 || refused === 0); turn += 1) {
          const before = sent.length;
          await Promise.race([lanes, until('sends run', () => sent.length > before + 40)]);
          rotation = rotate(`rotated-${turn}`);
          await rotation;
        }
      } finally {
        isOver = true;
      }
      await lanes;
      expect(refused).toBeGreaterThan(0);
      const stored: string[] = [];
      const reader = admin.consumer.readQueue(allowed, { from, group: 'readers' });
      while (stored.length < sent.length) {
        for (const message of await reader.next()) stored.push(message.body.toString());
      }
      reader.close();
      expect(await admin.admin.maxOffset(allowed)).toBe(from + sent.length);
      expect(stored.sort()).toEqual(sent.sort());
    },
    LIMIT_MS,
  );

  it('sends and pulls over TLS when the authority is the right one', async () => {
    const tls = { ca: await readFile(join(dir, 'right-ca.pem')) };
    const client = open({ credentials: ADMIN, tls });
    await expect(send(client, allowed)).resolves.toBe('stored');
    const pull = await client.consumer.pull({ queue: allowed, offset: 0, group: 'readers', suspendMs: 5000 });
    expect(pull.kind).toBe('found');
  });

  it('says why it does not trust another authority or name, and at which address', async () => {
    const wrong = { ca: await readFile(join(dir, 'wrong-ca.pem')) };
    const error: unknown = await open({ credentials: ADMIN, tls: wrong })
      .admin.listGroups()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TlsHandshakeError);
    expect(error).toMatchObject({ code: 'TLS_HANDSHAKE', address: cluster.namesrv, retriable: false });
    expect(String(error)).toContain('unable to verify the first certificate');
    const named = { ca: await readFile(join(dir, 'right-ca.pem')), servername: 'other.example' };
    await expect(open({ credentials: ADMIN, tls: named }).admin.listGroups()).rejects.toThrow('other.example');
    const unchecked = open({ credentials: ADMIN, tls: { rejectUnauthorized: false } });
    await expect(send(unchecked, allowed)).resolves.toBe('stored');
  });

  it('backs off from a server that fails each handshake', async () => {
    let connections = 0;
    const plain = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined);
      socket.resume();
      socket.end('this is no TLS server');
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const address = plain.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const client = RocketMqClient.open({
      namesrv: `127.0.0.1:${port}`,
      tls: {},
      reconnectBackoff: { initialMs: 60_000, maxMs: 60_000 },
    });
    try {
      await expect(client.admin.listTopics()).rejects.toBeInstanceOf(TlsHandshakeError);
      const calls = Array.from({ length: 20 }, () => client.admin.listTopics({ timeoutMs: 200 }));
      const results = await Promise.allSettled(calls);
      expect(results.every((result) => result.status === 'rejected')).toBe(true);
      expect(connections).toBe(1);
    } finally {
      await client.close();
      await new Promise((resolve) => plain.close(resolve));
    }
  });

  it("sends by the broker's second port and pulls by the first", async () => {
    const client = open({ credentials: ADMIN, vipChannel: true });
    await expect(send(client, allowed)).resolves.toBe('stored');
    await expect(client.admin.listGroups()).resolves.toContain('readers');
    const pull = await client.consumer.pull({ queue: allowed, offset: 0, group: 'readers', suspendMs: 5000 });
    expect(pull.kind).toBe('found');
  });
});
