import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once, setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isRocketMqError } from './errors.js';
import type { CallOptions } from './connection/call-deadline.js';
import type { QueueRef } from './routing/topic-route.js';
import { BatchEncoder } from './wire/batch-encoder.js';
import { FrameReader } from './wire/frame-reader.js';
import { decodeRemotingCommand, type RemotingCommand } from './wire/remoting-codec.js';
import { REQUEST_CODE } from './wire/request-code.js';
import { RocketMqClient } from './rocketmq-client.js';

const CALL_MS = 1_000;
/** Far above what a call may take on a busy machine, far below what "never" would be. */
const LIMIT_MS = 20_000;
const QUEUE: QueueRef = { topic: 't', brokerName: 'b', queueId: 0 };

/** Accepts connections and reads requests; `answer` may give a body for one. Without, nothing is ever answered. */
class SilentServer {
  received = 0;
  answer: (command: RemotingCommand) => string | undefined = () => undefined;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    const reader = new FrameReader(16 * 1024 * 1024);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk, (bytes) => {
        this.received += 1;
        const command = decodeRemotingCommand(Buffer.from(bytes));
        const body = this.answer(command);
        if (body !== undefined) socket.write(replyFrame(command.opaque, body));
      });
    });
  });

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function replyFrame(opaque: number, body: string): Buffer {
  const header = Buffer.from(JSON.stringify({ code: 0, opaque, flag: 1, language: 'JAVA', version: 513 }));
  const head = Buffer.alloc(8);
  head.writeInt32BE(4 + header.length + Buffer.byteLength(body), 0);
  head.writeInt32BE(header.length, 4);
  return Buffer.concat([head, header, Buffer.from(body)]);
}

type Call = (client: RocketMqClient, limit: CallOptions) => Promise<unknown>;

function oneMessage(): ReturnType<BatchEncoder['finish']> {
  const encoder = new BatchEncoder();
  encoder.add(Buffer.from('x'), '');
  return encoder.finish();
}

const MESSAGE = { body: Buffer.from('x') };
const RULES = [{ resource: 'Topic:t', actions: ['Pub'], decision: 'Allow' }] as const;

/** One call of every public method that waits for a server, by its path in the client. */
const CALLS: Readonly<Record<string, Call>> = {
  'routes.get': (client, limit) => client.routes.get('t', limit),
  'routes.refresh': (client, limit) => client.routes.refresh('t', limit),
  'producer.send': (client, limit) => client.producer.send(QUEUE, MESSAGE, limit),
  'producer.sendBatch': (client, limit) => client.producer.sendBatch(QUEUE, oneMessage(), limit),
  'producer.sendEncoded': (client, limit) => client.producer.sendEncoded(QUEUE, { body: MESSAGE.body, properties: '', sysFlag: 0 }, limit),
  'consumer.pull': (client, limit) => client.consumer.pull({ queue: QUEUE, offset: 0, group: 'g', ...limit }),
  'admin.createTopic': ({ admin }, limit) => admin.createTopic({ topic: 't', readQueues: 1, writeQueues: 1, ...limit }),
  'admin.updateTopic': ({ admin }, limit) => admin.updateTopic({ topic: 't', readQueues: 1, ...limit }),
  'admin.deleteTopic': ({ admin }, limit) => admin.deleteTopic('t', limit),
  'admin.topicRoute': ({ admin }, limit) => admin.topicRoute('t', limit),
  'admin.topicClusters': ({ admin }, limit) => admin.topicClusters('t', limit),
  'admin.topicConfig': ({ admin }, limit) => admin.topicConfig('t', limit),
  'admin.topicTable': ({ admin }, limit) => admin.topicTable('b', limit),
  'admin.listTopics': ({ admin }, limit) => admin.listTopics(limit),
  'admin.clusterInfo': ({ admin }, limit) => admin.clusterInfo(limit),
  'admin.createGroup': ({ admin }, limit) => admin.createGroup({ group: 'g', ...limit }),
  'admin.updateGroup': ({ admin }, limit) => admin.updateGroup({ group: 'g', ...limit }),
  'admin.deleteGroup': ({ admin }, limit) => admin.deleteGroup('g', limit),
  'admin.groupConfig': ({ admin }, limit) => admin.groupConfig('g', limit),
  'admin.groupTable': ({ admin }, limit) => admin.groupTable('b', limit),
  'admin.listGroups': ({ admin }, limit) => admin.listGroups(limit),
  'admin.groupExists': ({ admin }, limit) => admin.groupExists('g', limit),
  'admin.groupsOfTopic': ({ admin }, limit) => admin.groupsOfTopic('t', limit),
  'admin.topicsOfGroup': ({ admin }, limit) => admin.topicsOfGroup('g', limit),
  'admin.consumerConnections': ({ admin }, limit) => admin.consumerConnections('g', limit),
  'admin.producerConnections': ({ admin }, limit) => admin.producerConnections('g', limit),
  'admin.consumerRunningInfo': ({ admin }, limit) => admin.consumerRunningInfo({ group: 'g', clientId: 'c', ...limit }),
  'admin.maxOffset': ({ admin }, limit) => admin.maxOffset(QUEUE, limit),
  'admin.minOffset': ({ admin }, limit) => admin.minOffset(QUEUE, limit),
  'admin.offsetByTime': ({ admin }, limit) => admin.offsetByTime(QUEUE, 0, limit),
  'admin.queryOffset': ({ admin }, limit) => admin.queryOffset('g', QUEUE, limit),
  'admin.updateOffset': ({ admin }, limit) => admin.updateOffset('g', QUEUE, 0, limit),
  'admin.resetOffsets': ({ admin }, limit) => admin.resetOffsets({ group: 'g', topic: 't', to: 'earliest', ...limit }),
  'admin.resetQueueOffset': ({ admin }, limit) => admin.resetQueueOffset({ group: 'g', queue: QUEUE, offset: 0, ...limit }),
  'admin.cloneOffsets': ({ admin }, limit) => admin.cloneOffsets({ from: 'g', to: 'h', topic: 't', ...limit }),
  'admin.topicStats': ({ admin }, limit) => admin.topicStats('t', limit),
  'admin.consumeStats': ({ admin }, limit) => admin.consumeStats('g', limit),
  'admin.groupProgress': ({ admin }, limit) => admin.groupProgress('g', limit),
  'admin.brokers.runtimeInfo': ({ admin }, limit) => admin.brokers.runtimeInfo('b', limit),
  'admin.brokers.versions': ({ admin }, limit) => admin.brokers.versions(limit),
  'admin.brokers.config': ({ admin }, limit) => admin.brokers.config('b', limit),
  'admin.brokers.updateConfig': ({ admin }, limit) => admin.brokers.updateConfig('b', { brokerPermission: '6' }, limit),
  'admin.nameServers.config': ({ admin }, limit) => admin.nameServers.config(limit),
  'admin.nameServers.updateConfig': ({ admin }, limit) => admin.nameServers.updateConfig({ orderMessageEnable: 'true' }, limit),
  'admin.nameServers.putKv': ({ admin }, limit) => admin.nameServers.putKv({ namespace: 'n', key: 'k', value: 'v' }, limit),
  'admin.nameServers.getKv': ({ admin }, limit) => admin.nameServers.getKv({ namespace: 'n', key: 'k' }, limit),
  'admin.nameServers.deleteKv': ({ admin }, limit) => admin.nameServers.deleteKv({ namespace: 'n', key: 'k' }, limit),
  'admin.nameServers.listKv': ({ admin }, limit) => admin.nameServers.listKv('n', limit),
  'admin.nameServers.wipeWritePerm': ({ admin }, limit) => admin.nameServers.wipeWritePerm('b', limit),
  'admin.nameServers.addWritePerm': ({ admin }, limit) => admin.nameServers.addWritePerm('b', limit),
  'admin.messages.byOffsetId': ({ admin }, limit) =>
    admin.messages.byOffsetId('7F00000100002A9F0000000000000000', { brokerName: 'b', ...limit }),
  'admin.messages.byKey': ({ admin }, limit) => admin.messages.byKey({ topic: 't', key: 'k', ...limit }),
  'admin.messages.byUniqueKey': ({ admin }, limit) => admin.messages.byUniqueKey({ topic: 't', key: 'k', ...limit }),
  'admin.messages.inTimeRange': ({ admin }, limit) => admin.messages.inTimeRange({ queue: QUEUE, fromMs: 0, toMs: 1, ...limit }),
  'acl.createUser': ({ acl }, limit) => acl.createUser({ username: 'user', password: 'password', ...limit }),
  'acl.updateUser': ({ acl }, limit) => acl.updateUser({ username: 'user', isEnabled: true, ...limit }),
  'acl.deleteUser': ({ acl }, limit) => acl.deleteUser('user', limit),
  'acl.listUsers': ({ acl }, limit) => acl.listUsers(limit),
  'acl.getUser': ({ acl }, limit) => acl.getUser('user', limit),
  'acl.createAcl': ({ acl }, limit) => acl.createAcl({ subject: 'User:user', rules: RULES, ...limit }),
  'acl.updateAcl': ({ acl }, limit) => acl.updateAcl({ subject: 'User:user', rules: RULES, ...limit }),
  'acl.getAcl': ({ acl }, limit) => acl.getAcl('User:user', limit),
  'acl.deleteAcl': ({ acl }, limit) => acl.deleteAcl({ subject: 'User:user', ...limit }),
  'acl.listAcls': ({ acl }, limit) => acl.listAcls(limit),
  'plainAcl.putAccount': ({ plainAcl }, limit) => plainAcl.putAccount({ accessKey: 'access-key', secretKey: 'secret-key', ...limit }),
  'plainAcl.deleteAccount': ({ plainAcl }, limit) => plainAcl.deleteAccount('access-key', limit),
  'plainAcl.setGlobalWhiteAddresses': ({ plainAcl }, limit) => plainAcl.setGlobalWhiteAddresses(['10.0.0.1'], limit),
  'plainAcl.versions': ({ plainAcl }, limit) => plainAcl.versions(limit),
  'plainAcl.config': ({ plainAcl }, limit) => plainAcl.config(limit),
  'queueLocks.lock': ({ queueLocks }, limit) => queueLocks.lock({ group: 'g', clientId: 'c', queues: [QUEUE], ...limit }),
  'queueLocks.unlock': ({ queueLocks }, limit) => queueLocks.unlock({ group: 'g', clientId: 'c', queues: [QUEUE], ...limit }),
};

/** Methods that wait for nothing. */
const SYNCHRONOUS = new Set(['consumer.readQueue', 'consumer.attend']);

/** The paths of all public methods of the client's parts. */
function publicMethods(part: object, path: string): string[] {
  const prototype = Object.getPrototypeOf(part) as object;
  const owner = prototype === Object.prototype ? part : prototype;
  const methods = Object.getOwnPropertyNames(owner).filter((name) => {
    const { value } = Object.getOwnPropertyDescriptor(owner, name) ?? {};
    return name !== 'constructor' && typeof value === 'function';
  });
  return methods.map((name) => `${path}.${name}`);
}

describe('a server that accepts and never answers', () => {
  let namesrv: SilentServer;
  let broker: SilentServer;
  let client: RocketMqClient;

  beforeEach(async () => {
    namesrv = new SilentServer();
    broker = new SilentServer();
    const brokerAddress = await broker.listen();
    const address = await namesrv.listen();
    const group = `{"brokerAddrs":{"0":"${brokerAddress}"},"brokerName":"b","cluster":"c"}`;
    namesrv.answer = ({ code }) => {
      switch (code) {
        case REQUEST_CODE.GET_ROUTEINFO_BY_TOPIC:
          return `{"brokerDatas":[${group}],"queueDatas":[{"brokerName":"b","perm":6,"readQueueNums":1,"writeQueueNums":1}]}`;
        case REQUEST_CODE.GET_BROKER_CLUSTER_INFO:
          return `{"brokerAddrTable":{"b":${group}},"clusterAddrTable":{"c":["b"]}}`;
        default:
          return undefined;
      }
    };
    client = RocketMqClient.open({ namesrv: address, requestTimeoutMs: 60_000, heartbeatIntervalMs: 300 });
  });

  afterEach(async () => {
    await client.close();
    await namesrv.close();
    await broker.close();
  });

  async function endOf(calls: readonly Promise<unknown>[]): Promise<PromiseSettledResult<unknown>[]> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(reject, LIMIT_MS, new Error(`not all calls ended within ${LIMIT_MS} ms`));
    });
    try {
      return await Promise.race([Promise.allSettled(calls), limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  const callAll = (limit: CallOptions): Promise<PromiseSettledResult<unknown>[]> =>
    endOf(Object.values(CALLS).map((call) => call(client, limit)));

  /** The calls that did not reject with an error of this package. */
  function notRejected(results: readonly PromiseSettledResult<unknown>[]): string[] {
    return Object.keys(CALLS).filter((_, index) => {
      const result = results[index];
      return result?.status !== 'rejected' || !isRocketMqError(result.reason);
    });
  }

  it('is asked by every public method of the client', () => {
    const { routes, producer, consumer, admin, acl, plainAcl, queueLocks } = client;
    const { brokers, nameServers, messages } = admin;
    const parts = { routes, producer, consumer, admin, acl, plainAcl, queueLocks };
    const nested = { 'admin.brokers': brokers, 'admin.nameServers': nameServers, 'admin.messages': messages };
    const methods = Object.entries({ ...parts, ...nested }).flatMap(([path, part]) => publicMethods(part, path));
    const found: unknown[] = Object.values(client).filter((part: unknown) => typeof part === 'object');
    expect(found.every((part) => (Object.values(parts) as unknown[]).includes(part))).toBe(true);
    expect(methods.filter((path) => !SYNCHRONOUS.has(path)).sort()).toEqual(Object.keys(CALLS).sort());
  });

  it('ends every call at its deadline when a name server is silent', async () => {
    namesrv.answer = () => undefined;
    expect(notRejected(await callAll({ timeoutMs: CALL_MS }))).toEqual([]);
    expect(broker.received).toBe(0);
  });

  it('ends every call at its deadline when the brokers are silent', async () => {
    const ofNameServers = /^(routes\.|admin\.(clusterInfo|topicClusters|topicRoute)$)/;
    const answered = notRejected(await callAll({ timeoutMs: CALL_MS }));
    expect(answered.filter((path) => !ofNameServers.test(path))).toEqual([]);
    expect(broker.received).toBeGreaterThan(0);
  });

  it('ends every call at the abort of its caller', async () => {
    namesrv.answer = () => undefined;
    const abort = new AbortController();
    setMaxListeners(0, abort.signal);
    const ending = callAll({ signal: abort.signal });
    await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(notRejected(await ending)).toEqual([]);
  });

  it('ends every call when the client closes', async () => {
    const ending = callAll({});
    while (broker.received === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await client.close();
    expect(notRejected(await ending)).not.toContain('producer.send');
    expect(client.isClosed).toBe(true);
  });

  it('ends the waits of a reader', async () => {
    const reader = client.consumer.readQueue(QUEUE, { from: 0, group: 'g' });
    expect(await reader.next({ timeoutMs: CALL_MS })).toEqual([]);
    expect(await reader.nextMessages({ timeoutMs: CALL_MS })).toEqual([]);
    const waiting = reader.next().catch((error: unknown) => error);
    reader.close();
    expect(isRocketMqError(await waiting)).toBe(true);
  });

  it('ends the sends, the flush and the close of a topic producer', async () => {
    const producer = client.topicProducer('t', { deliveryTimeoutMs: CALL_MS });
    const ends = await endOf([producer.send(MESSAGE), producer.untilRoom(), producer.flush(), producer.close()]);
    expect(ends.map((end) => end.status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  });
});
