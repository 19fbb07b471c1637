import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const packageFolder = (name: string): string => fileURLToPath(new URL(`../../../libs/${name}`, import.meta.url));
const PEER = 'rocketmq-client-nodejs';
const namesrv = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
const proxy = process.env['SLUICE_TEST_GRPC'] ?? '127.0.0.1:8081';
const LIMIT_MS = 200_000;

const USE = `
import { RocketMqClient } from '@sluice/rocketmq';
const [namesrv, topic] = process.argv.slice(2);
const client = RocketMqClient.open({ namesrv });
await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1 });
await client.admin.createGroup({ group: topic });
const producer = client.topicProducer(topic);
const { queue, offset, messageId } = await producer.send({ body: new TextEncoder().encode('packed') });
await producer.close();
await client.producer.send(queue, { body: new TextEncoder().encode('[single]').subarray(1, 7), properties: [['UNIQ_KEY', messageId]] });
for await (const message of client.consumer.readQueue(queue, { from: offset, group: topic })) {
  console.log(message.body.toString(), message.property('UNIQ_KEY') === messageId);
  if (message.queueOffset > offset) break;
}
await client.admin.deleteTopic(topic);
await client.close();
`;

/** Over gRPC, whose topic and group the remoting client makes. */
const USE_GRPC = `
import { openMessaging, RocketMqClient } from '@sluice/rocketmq';
const [namesrv, proxy, topic] = process.argv.slice(2);
const client = RocketMqClient.open({ namesrv });
await client.admin.createTopic({ topic, readQueues: 1, writeQueues: 1, attributes: { 'message.type': 'NORMAL' } });
await client.admin.createGroup({ group: topic });
const cluster = await openMessaging('rocketmq+grpc://' + proxy, { requestTimeoutMs: 30_000 });
const receiver = cluster.receiver({ topic, group: topic });
let received = [];
for (let sent = 0; received.length === 0; sent += 1) {
  const [outcome] = await cluster.sender(topic).send([{ body: new TextEncoder().encode('packed') }]);
  if (outcome.status === 'failed') throw outcome.error;
  received = await receiver.receive({ maxMessages: 1, waitMs: 3_000, invisibleMs: 10_000 });
}
console.log(received[0].body.toString(), cluster.protocol);
await receiver.ack(received);
await cluster.close();
await client.admin.deleteTopic(topic);
await client.close();
`;

const USE_GRPC_WITHOUT_PEER = `
import { openMessaging } from '@sluice/rocketmq';
for (const use of [() => openMessaging('rocketmq+grpc://127.0.0.1:1'), () => import('@sluice/rocketmq/grpc')]) {
  await use().catch(({ name, code, message }) => console.log(name, code, message));
}
`;

describe('the package of the client, installed with what it needs of the workspace', () => {
  let dir: string;
  let files: readonly string[];
  const app = (): string => join(dir, 'app');
  const env = { ...process.env, NODE_OPTIONS: '' };
  const install = (...what: readonly string[]): Promise<unknown> =>
    run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...what], {
      cwd: app(),
      env,
    });
  const pack = async (name: string): Promise<{ readonly archive: string; readonly files: readonly string[] }> => {
    const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], {
      cwd: packageFolder(name),
      env,
    });
    const [{ filename, files: entries }] = JSON.parse(packed.stdout) as [
      { readonly filename: string; readonly files: readonly { readonly path: string }[] },
    ];
    return { archive: join(dir, filename), files: entries.map(({ path }) => path) };
  };

  /** What a program prints, line by line. */
  async function outputOf(program: string, ...args: readonly string[]): Promise<string[]> {
    await writeFile(join(app(), 'use.mjs'), program);
    const { stdout } = await run(process.execPath, ['use.mjs', ...args], { cwd: app(), env, timeout: 90_000 });
    return stdout.trimEnd().split('\n');
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-package-'));
    const [client, time] = [await pack('rocketmq'), await pack('time')];
    files = client.files;
    await mkdir(app());
    await writeFile(join(app(), 'package.json'), '{ "private": true, "type": "module" }');
    await install(client.archive, time.archive);
  }, LIMIT_MS);

  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it('holds what its users need and nothing else', () => {
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']));
    const others = files.filter((file) => !/^(LICENSE|README\.md|package\.json|dist\/.+\.(js|d\.ts))$/.test(file));
    expect(others).toEqual([]);
    expect(files.filter((file) => /spec|testing|readme-examples/.test(file))).toEqual([]);
    const installed = join(app(), 'node_modules');
    expect(existsSync(join(installed, 'fzstd'))).toBe(true);
    expect([PEER, '@grpc/grpc-js'].filter((name) => existsSync(join(installed, name)))).toEqual([]);
  });

  it('has a README without links out of the package', async () => {
    const readme = await readFile(join(app(), 'node_modules/@sluice/rocketmq/README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target ?? '');
    expect(links.filter((target) => !/^(#|https:)/.test(target))).toEqual([]);
  });

  it(
    'sends and reads',
    async () => {
      const topic = `packed-${Date.now()}`;
      expect(await outputOf(USE, namesrv, topic)).toEqual(['packed true', 'single true']);
    },
    LIMIT_MS,
  );

  it(
    'needs its peer for gRPC, and says so',
    async () => {
      const manifest = await readFile(join(app(), 'node_modules/@sluice/rocketmq/package.json'), 'utf8');
      const { peerDependencies } = JSON.parse(manifest) as {
        readonly peerDependencies: Readonly<Record<string, string>>;
      };
      const peer = `${PEER}@${String(peerDependencies[PEER])}`;
      const message = `gRPC needs the package '${PEER}', which is not installed: npm install ${peer}`;
      const line = `PackageMissingError PACKAGE_MISSING ${message}`;
      expect(await outputOf(USE_GRPC_WITHOUT_PEER)).toEqual([line, line]);
      await install(peer);
      const topic = `packed-grpc-${Date.now()}`;
      expect(await outputOf(USE_GRPC, namesrv, proxy, topic)).toEqual(['packed grpc']);
    },
    LIMIT_MS,
  );
});
