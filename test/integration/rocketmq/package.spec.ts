import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const library = fileURLToPath(new URL('../../../libs/rocketmq', import.meta.url));
const namesrv = process.env['SLUICE_TEST_NAMESRV'] ?? '127.0.0.1:9876';
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
for await (const message of client.consumer.readQueue(queue, { from: offset, group: topic })) {
  console.log(message.body.toString(), message.property('UNIQ_KEY') === messageId);
  break;
}
await client.admin.deleteTopic(topic);
await client.close();
`;

describe('the package of the client, installed by itself', () => {
  let dir: string;
  let files: readonly string[];
  const app = (): string => join(dir, 'app');

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sluice-package-'));
    const env = { ...process.env, NODE_OPTIONS: '' };
    const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], {
      cwd: library,
      env,
    });
    const [{ filename, files: entries }] = JSON.parse(packed.stdout) as [
      { readonly filename: string; readonly files: readonly { readonly path: string }[] },
    ];
    files = entries.map(({ path }) => path);
    await mkdir(app());
    await writeFile(join(app(), 'package.json'), '{ "private": true, "type": "module" }');
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', ['install', ...flags, join(dir, filename)], { cwd: app(), env });
  }, LIMIT_MS);

  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it('holds what its users need and nothing else', () => {
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']),
    );
    const others = files.filter((file) => !/^(LICENSE|README\.md|package\.json|dist\/.+\.(js|d\.ts))$/.test(file));
    expect(others).toEqual([]);
    expect(files.filter((file) => /spec|readme-examples/.test(file))).toEqual([]);
    const installed = join(app(), 'node_modules');
    expect(existsSync(join(installed, 'fzstd'))).toBe(true);
  });

  it('has a README without links out of the package', async () => {
    const readme = await readFile(join(app(), 'node_modules/@sluice/rocketmq/README.md'), 'utf8');
    const links = [...readme.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target ?? '');
    expect(links.filter((target) => !/^(#|https:)/.test(target))).toEqual([]);
  });

  it(
    'sends and reads',
    async () => {
      await writeFile(join(app(), 'use.mjs'), USE);
      const topic = `packed-${String(Date.now())}`;
      const { stdout } = await run(process.execPath, ['use.mjs', namesrv, topic], { cwd: app(), timeout: 60_000 });
      expect(stdout.split('\n')).toEqual(['packed true', '']);
    },
    LIMIT_MS,
  );
});
