import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freePorts, type RunningCluster, startCluster } from '@sluice/embedded-rocketmq';
import { type Credentials, isRetriableRocketMqError, type MessageReceiver, RocketMqClient, type SendOutcome } from '@sluice/rocketmq';
import { GrpcMessaging, type GrpcMessagingOptions } from '@sluice/rocketmq/grpc';
import { CuttableProxy } from './cuttable-proxy.js';

const LIMIT_MS = 240_000;
const CALL_MS = 30_000;
const ADMIN: Credentials = { accessKey: 'admin', secretKey: '12345678' };
const body = Buffer.from('x');
const AUTH = 'org.apache.rocketmq.auth.authentication.provider';
/** The broker keeps the user, and asks nobody for it. */
const BROKER_USERS = {
  authenticationMetadataProvider: `${AUTH}.LocalAuthenticationMetadataProvider`,
  initAuthenticationUser: JSON.stringify({ username: ADMIN.accessKey, password: ADMIN.secretKey }),
};
/** The Proxy asks its callers, and looks up users at the broker. */
const PROXY_ACL = {
  authenticationEnabled: true,
  authenticationProvider: `${AUTH}.DefaultAuthenticationProvider`,
  authenticationMetadataProvider: 'org.apache.rocketmq.proxy.auth.ProxyAuthenticationMetadataProvider',
};
const poll = { maxMessages: 32, waitMs: 5_000, invisibleMs: 10_000 };

describe('the gRPC Proxy in trouble', () => {
  let dir: string;
  let cluster: RunningCluster;
  let admin: RocketMqClient;
  let relay: CuttableProxy;
  const opened: GrpcMessaging[] = [];
  const relays: CuttableProxy[] = [];

  function open(options: Partial<GrpcMessagingOptions> = {}): GrpcMessaging {
    const messaging = new GrpcMessaging({
      proxies: [addressOf(cluster.grpc)],
      requestTimeoutMs: CALL_MS,
      ...options,
    });
    opened.push(messaging);
    return messaging;
  }

  /** Reaches the Proxy through the relay only, though its routes name the Proxy itself. */
  function openThroughRelay(options: Partial<GrpcMessagingOptions> = {}): GrpcMessaging {
    return open({
      proxies: [addressOf(relay.address)],
      mapAddress: (address) => (address === cluster.grpc ? relay.address : address),
      ...options,
    });
  }

  async function prepare(topic: string): Promise<void> {
    await admin.admin.createTopic({ topic, readQueues: 2, writeQueues: 2 });
    await admin.admin.createGroup({ group: topic });
    for (const queueId of [0, 1]) {
      await admin.admin.updateOffset(topic, { topic, brokerName: cluster.brokerName, queueId }, 0);
    }
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-grpc-faults-'));
    cluster = await startCluster({
      name: 'grpc-faults',
      ports: await freePorts(),
      dataDir: join(dir, 'data'),
      brokerConfig: BROKER_USERS,
      heap: { brokerMb: 256, brokerDirectMb: 256 },
      tls: {},
      startTimeoutMs: LIMIT_MS,
    });
    admin = RocketMqClient.open({ namesrv: cluster.namesrv, requestTimeoutMs: CALL_MS, credentials: ADMIN });
  }, LIMIT_MS);

  beforeEach(async () => {
    relay = await CuttableProxy.to(cluster.grpc);
    relays.push(relay);
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((messaging) => messaging.close()));
    await Promise.all(relays.splice(0).map((each) => each.close()));
  }, LIMIT_MS);

  afterAll(async () => {
    await admin.close();
    await cluster.kill();
    await rm(dir, { recursive: true, force: true });
  }, LIMIT_MS);

  it('speaks TLS on request, and says why it does not trust the Proxy', async () => {
    await prepare('tls');
    const unchecked = open({ tls: { rejectUnauthorized: false } });
    expectStored(await unchecked.sender('tls').send([{ body }], { timeoutMs: CALL_MS }));
    const receiver = unchecked.receiver({ topic: 'tls', group: 'tls' });
    expect(await receiveUntil(receiver, 1)).toHaveLength(1);
    const [outcome] = await open({ tls: {} }).sender('tls').send([{ body }], { timeoutMs: CALL_MS });
    expect(outcome).toMatchObject({
      status: 'failed',
      mayBeStored: false,
      error: { code: 'TLS_HANDSHAKE', retriable: false, address: cluster.grpc },
    });
  });

  it('uses another proxy when the first is not there, and says which is not', async () => {
    await prepare('other');
    const nobody = await unusedAddress();
    const both = open({ proxies: [addressOf(nobody), addressOf(cluster.grpc)] });
    expectStored(await both.sender('other').send([{ body }], { timeoutMs: CALL_MS }));
    const none = open({ proxies: [addressOf(nobody)] });
    const [outcome] = await none.sender('other').send([{ body }], { timeoutMs: CALL_MS });
    expect(outcome).toMatchObject({
      status: 'failed',
      mayBeStored: false,
      error: { code: 'CONNECT_FAILED', retriable: true, address: nobody },
    });
    const receiver = none.receiver({ topic: 'other', group: 'other' });
    await expect(receiver.receive(poll)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  });

  it('ends every call by its deadline when nothing comes back', async () => {
    await prepare('silent');
    const messaging = openThroughRelay();
    const sender = messaging.sender('silent');
    expectStored(await sender.send([{ body }], { timeoutMs: CALL_MS }));
    const receiver = messaging.receiver({ topic: 'silent', group: 'silent' });
    const [message] = await receiveOnly(receiver, 1);
    relay.holdAnswers();
    const [outcome] = await sender.send([{ body }], { timeoutMs: 1_000 });
    expect(outcome).toMatchObject({ status: 'failed', mayBeStored: true, error: { code: 'REQUEST_TIMEOUT' } });
    const [ack] = await receiver.ack([message!], { timeoutMs: 500 });
    expect(ack).toMatchObject({ status: 'failed', error: { code: 'REQUEST_TIMEOUT' } });
    await expect(receiver.extend(message!, 60_000, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'REQUEST_TIMEOUT',
    });
    const aborting = new AbortController();
    const sending = sender.send([{ body }], { timeoutMs: CALL_MS, signal: aborting.signal });
    aborting.abort();
    expect(await sending).toMatchObject([{ status: 'failed', error: { code: 'REQUEST_ABORTED' } }]);
  });

  it('says that messages of a cut connection may be stored', async () => {
    await prepare('cut');
    const sender = openThroughRelay().sender('cut');
    expectStored(await sender.send([{ body }], { timeoutMs: CALL_MS }));
    relay.holdAnswers();
    const cut = sender.send([{ body }, { body }], { timeoutMs: CALL_MS });
    const stored = async (): Promise<number> => (await admin.admin.topicStats('cut')).reduce((sum, { maxOffset }) => sum + maxOffset, 0);
    await until(async () => (await stored()) === 3);
    relay.cut();
    expect(await cut).toMatchObject([1, 2].map(() => ({ status: 'failed', mayBeStored: true, error: { code: 'CONNECTION_CLOSED' } })));
    relay.releaseAnswers();
    await until(async () => {
      const [outcome] = await sender.send([{ body }], { timeoutMs: CALL_MS });
      return outcome?.status === 'stored';
    });
  });

  it(
    'continues after a restart of the Proxy: nothing is lost, the receiver is known again',
    async () => {
      await prepare('restart');
      const messaging = open();
      const sender = messaging.sender('restart');
      const receiver = messaging.receiver({ topic: 'restart', group: 'restart' });
      const received = new Set<string>();
      const failures: unknown[] = [];
      const stopping = new AbortController();
      const loop = (async () => {
        while (!stopping.signal.aborted) {
          try {
            const messages = await receiver.receive({ ...poll, signal: stopping.signal });
            const acks = await receiver.ack(messages);
            for (const { messageId, status } of acks) if (status === 'acknowledged') received.add(messageId);
          } catch (error) {
            failures.push(error);
          }
        }
      })();
      const expected = new Set<string>();
      const send = async (count: number): Promise<void> => {
        const outcomes = await sender.send(
          Array.from({ length: count }, () => ({ body })),
          { timeoutMs: CALL_MS },
        );
        for (const { status, messageId } of outcomes) if (status === 'stored') expected.add(messageId);
      };
      await send(20);
      await until(() => received.size === 20);
      await cluster.restartBroker();
      await until(async () => {
        await send(1);
        return expected.size > 20;
      });
      await send(20);
      await until(() => [...expected].every((messageId) => received.has(messageId)), LIMIT_MS);
      stopping.abort();
      await loop;
      expect(failures.pop()).toMatchObject({ code: 'REQUEST_ABORTED' });
      expect(failures.length).toBeGreaterThan(0);
      // A caller that does not pause is slowed down.
      expect(failures.length).toBeLessThan(200);
      for (const failure of failures) expect(isRetriableRocketMqError(failure)).toBe(true);
    },
    2 * LIMIT_MS,
  );

  it(
    'knows who may send and receive, with credentials that change while it runs',
    async () => {
      await prepare('secured');
      const proxyConf = join(dir, 'data', 'conf', 'rmq-proxy.json');
      const config = JSON.parse(await readFile(proxyConf, 'utf8')) as Record<string, unknown>;
      await writeFile(proxyConf, JSON.stringify({ ...config, ...PROXY_ACL }));
      await cluster.restartBroker();
      let secretKey = 'the-wrong-secret';
      const changing = open({ credentials: () => ({ accessKey: ADMIN.accessKey, secretKey }) });
      for (const messaging of [changing, open(), open({ credentials: { ...ADMIN, accessKey: 'nobody' } })]) {
        const [outcome] = await messaging.sender('secured').send([{ body }], { timeoutMs: CALL_MS });
        expect(outcome).toMatchObject({
          status: 'failed',
          mayBeStored: false,
          error: { code: 'AUTHENTICATION', retriable: false },
        });
        expect(JSON.stringify(outcome)).not.toContain('the-wrong-secret');
        const receiver = messaging.receiver({ topic: 'secured', group: 'secured' });
        await expect(receiver.receive(poll)).rejects.toMatchObject({ code: 'AUTHENTICATION' });
      }
      secretKey = ADMIN.secretKey;
      expectStored(await changing.sender('secured').send([{ body }], { timeoutMs: CALL_MS }));
      const receiver = changing.receiver({ topic: 'secured', group: 'secured' });
      expect(await receiveUntil(receiver, 1)).toHaveLength(1);
    },
    LIMIT_MS,
  );
});

/** Fails with the first error, which says more than a status. */
function expectStored(outcomes: readonly SendOutcome[]): void {
  for (const outcome of outcomes) if (outcome.status === 'failed') throw outcome.error;
  expect(outcomes.length).toBeGreaterThan(0);
}

function addressOf(address: string): { host: string; port: number } {
  const [host = '', port] = address.split(':');
  return { host, port: Number(port) };
}

async function unusedAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
}

async function until(isTrue: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`not so within ${limitMs} ms: ${isTrue.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Receives and acknowledges. */
async function receiveUntil(receiver: MessageReceiver, count: number): Promise<unknown[]> {
  const messages = await receiveOnly(receiver, count);
  const acks = await receiver.ack(messages);
  expect(acks.map(({ status }) => status)).toEqual(messages.map(() => 'acknowledged'));
  return messages;
}

async function receiveOnly(receiver: MessageReceiver, count: number): Promise<Awaited<ReturnType<MessageReceiver['receive']>>> {
  const messages: Awaited<ReturnType<MessageReceiver['receive']>> = [];
  const end = Date.now() + 60_000;
  while (messages.length < count && Date.now() < end) messages.push(...(await receiver.receive(poll)));
  return messages;
}
