import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readerGroupOf, topicsOf } from '@sluice/protocol';
import { RocketMqClient } from '@sluice/rocketmq';
import { LEAKY_PACKAGE } from '../support/leaky-package.js';
import { freePort, SluiceCluster, until } from '../support/sluice-cluster.js';
import { TraceReceiver } from '../support/trace-receiver.js';

/** Of six kinds. What they have beside letters makes each encoding another text. */
const SECRETS = {
  env: 'Env?Secret/of+variable one',
  file: 'File?Secret/of=properties two',
  dir: 'Dir?Secret/of#folder three',
  password: 'Inline?Secret/of&password four',
  login: 'Login?Secret/of%25url~five',
  vault: 'Vault?Secret/of!package six',
} as const;

/** Finds which secrets a text holds, in whatever encoding. */
function secretsIn(text: string): readonly string[] {
  return Object.entries(SECRETS).flatMap(([name, secret]) => {
    const bytes = Buffer.from(secret);
    const forms = {
      plain: secret,
      json: JSON.stringify(secret).slice(1, -1),
      base64: bytes.toString('base64').replace(/=+$/, '').slice(0, -1),
      // Of the secret behind a name of other lengths, the part in the middle.
      'base64 inside': Buffer.concat([Buffer.alloc(1), bytes])
        .toString('base64')
        .slice(2, -4),
      'base64 further inside': Buffer.concat([Buffer.alloc(2), bytes])
        .toString('base64')
        .slice(3, -4),
      url: encodeURIComponent(secret),
      hex: bytes.toString('hex'),
    };
    return Object.entries(forms).flatMap(([form, each]) => (text.toLowerCase().includes(each.toLowerCase()) ? [`${name} in ${form}`] : []));
  });
}

/** Reads all files below a folder. A file that is put in place meanwhile changes its name, so all are listed and read again. */
function textsBelow(folder: string): ReadonlyMap<string, string> {
  for (let passes = 0; passes < 20; passes += 1) {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    try {
      return new Map(entries.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'utf8')]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`Files below ${folder} went away in each of 20 passes`);
}

/** The body with what is deflated inside it, as reports are. */
function readable(body: Buffer): string {
  const parts = [body.toString('latin1'), body.toString('utf8')];
  for (let at = body.indexOf(0x78); at !== -1; at = body.indexOf(0x78, at + 1)) {
    try {
      parts.push(inflateSync(body.subarray(at)).toString('utf8'));
    } catch {
      // Not the beginning of deflated bytes.
    }
  }
  return parts.join('\n');
}

describe.each(['1', '2'])('secrets of connectors, with task.threads=%s', (threads) => {
  let cluster: SluiceCluster;
  let outside: string;
  /** What clients were answered. */
  const answers: string[] = [];

  const traces = new TraceReceiver();

  beforeAll(async () => {
    const port = await freePort();
    await traces.listen(port);
    outside = mkdtempSync(join(tmpdir(), 'sluice-secrets-'));
    writeFileSync(join(outside, 'db.properties'), `password=${SECRETS.file}\n`);
    writeFileSync(join(outside, 'token'), SECRETS.dir);
    writeFileSync(join(outside, 'vault.json'), JSON.stringify({ team: { token: SECRETS.vault } }));
    writeFileSync(join(outside, 'keys'), `e2e=${randomBytes(32).toString('base64')}\n`);
    const packages = join(outside, 'plugins');
    mkdirSync(join(packages, 'leaky'), { recursive: true });
    writeFileSync(join(packages, 'leaky', 'index.js'), LEAKY_PACKAGE);
    const manifest = { name: 'leaky', version: '1.0.0', type: 'module', sluice: { plugins: './index.js', sdk: '0.1' } };
    writeFileSync(join(packages, 'leaky', 'package.json'), JSON.stringify(manifest));
    cluster = await SluiceCluster.start(() => ({
      SLUICE_PLUGIN_PATH: packages,
      SLUICE_TASK_THREADS: threads,
      SLUICE_LOG_LEVEL: 'debug',
      SLUICE_TRACING_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      SLUICE_TRACING_SAMPLE_RATIO: '1',
      SLUICE_SECRETS_KEY_FILE: join(outside, 'keys'),
      SLUICE_CONFIG_PROVIDERS: 'env,file,dir,vault',
      SLUICE_CONFIG_PROVIDERS_VAULT_CLASS: 'VaultProvider',
      SLUICE_CONFIG_PROVIDERS_VAULT_PARAM_FILE: join(outside, 'vault.json'),
      SLUICE_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS: outside,
      E2E_SECRET: SECRETS.env,
      E2E_FOLDER: outside,
    }));
  }, 300_000);
  afterAll(async () => {
    await (cluster as SluiceCluster | undefined)?.close();
    await traces.close();
    rmSync(outside, { recursive: true, force: true });
  }, 300_000);

  const ask = async (method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly text: string }> => {
    const { status, body: answer, headers } = await cluster.request(method, path, body);
    const text = JSON.stringify(answer ?? null);
    answers.push(`${method} ${path}: ${text} ${JSON.stringify([...headers])}`);
    return { status, text };
  };

  const configs = () => {
    const common = {
      topic: cluster.topic('leaks'),
      topics: cluster.topic('leaks'),
      'restart.max.attempts': '-1',
      'restart.backoff.initial.ms': '50',
      'restart.backoff.max.ms': '100',
      'errors.retry.timeout': '0',
    };
    const referring = {
      ...common,
      pin: '${env:E2E_SECRET}',
      token: '${vault:team:token}',
      note: '${file:${env:E2E_FOLDER}/db.properties:password}',
      url: `http://user:\${dir:${outside}:token}@localhost:1/`,
    };
    const inline = {
      ...common,
      pin: SECRETS.password,
      note: 'nothing',
      url: `http://user:${encodeURIComponent(SECRETS.login)}@localhost:1/`,
    };
    return { referring, inline } as const;
  };

  /** Runs until a task has failed and run again. */
  const untilFailed = async (name: string, words = ''): Promise<void> => {
    await until(
      `${name} has failed`,
      async () => {
        const { text } = await ask('GET', `/connectors/${name}/status`);
        return text.includes('last_error') && (text.includes('poll: ') || text.includes('put: ')) && text.includes(words);
      },
      120_000,
      () => answers.slice(-2).join('\n') + cluster.role(name.startsWith('source') ? 'source-runner-1' : 'sink-runner-1').log.slice(-3000),
    );
  };

  it('are nowhere but where they belong, after a run with failures', async () => {
    for (const [kind, config] of Object.entries(configs())) {
      for (const [type, connectorClass] of [
        ['source', 'LeakySource'],
        ['sink', 'LeakySink'],
      ] as const) {
        const name = `${type}-${kind}`;
        const settings = { 'connector.class': connectorClass, ...config };
        const created = await ask('PUT', `/connectors/${name}/config`, settings);
        expect([created.status, created.text]).toEqual([201, expect.anything()]);
        const refused = await ask('PUT', `/connectors/${name}/config`, { ...settings, refuse: 'yes' });
        expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('refused: ')]);
        await ask('PUT', `/connector-plugins/${connectorClass}/config/validate`, {
          ...settings,
          name,
          refuse: 'yes',
          'tasks.max': '${env:E2E_SECRET}',
        });
        await ask('PUT', `/connector-plugins/${connectorClass}/config/validate`, { ...settings, name, 'tasks.max': 'none' });
        await ask('PUT', `/connector-plugins/${connectorClass}/config/validate`, { ...settings, name, refuse: 'yes' });
        await ask('POST', '/connectors', { name: `${name}-unsplittable`, config: { ...settings, topic: 'unsplittable' } });
        await ask('GET', `/connectors/${name}/config`);
      }
      await untilFailed(`source-${kind}`);
      await untilFailed(`sink-${kind}`);
      for (const type of ['source', 'sink']) {
        for (const path of ['', '/config', '/tasks', '/status', '/tasks/0/status']) await ask('GET', `/connectors/${type}-${kind}${path}`);
        await ask('GET', `/connectors/${type}-${kind}-unsplittable/status`);
      }
    }
    await ask('GET', '/connectors?expand=info&expand=status');
    const shown = await ask('GET', '/connectors/source-referring/config');
    expect(JSON.parse(shown.text)).toMatchObject(configs().referring);
    const tasks = JSON.parse((await ask('GET', '/connectors/source-referring/tasks')).text) as [
      { readonly config: Record<string, string> },
    ];
    expect(tasks[0].config).toMatchObject({
      ...configs().referring,
      'made.of.note': 'user=admin;${file:${env:E2E_FOLDER}/db.properties:password}',
      'own.password': '${env:E2E_SECRET}',
    });
    const inline = JSON.parse((await ask('GET', '/connectors/source-inline/tasks')).text) as [{ readonly config: Record<string, string> }];
    expect(inline[0].config).toMatchObject({ pin: '[hidden]', url: 'http://[hidden]@localhost:1/', 'own.password': '[hidden]' });
    const again = JSON.parse((await ask('GET', '/connectors/source-inline/config')).text) as object;
    expect((await ask('PUT', '/connectors/source-inline/config', { ...again, note: 'changed' })).status).toBe(200);
    await untilFailed('source-inline', 'changed');
    const found = [...(await inMetrics()), ...inAnswers(), ...inFiles(), ...(await inTopics()), ...(await inTraces())];
    expect(found).toEqual([]);
  }, 400_000);

  it('are encrypted with another key by sluice secrets rotate, after which the older one may go', async () => {
    const keys = join(outside, 'keys');
    const [older = ''] = readFileSync(keys, 'utf8').trim().split('\n').slice(-1);
    const newer = `rotated=${randomBytes(32).toString('base64')}`;
    writeFileSync(keys, `${newer}\n${older}\n`);
    await until('the gateway has the new key', async () => (await ask('GET', '/admin/secrets')).text.includes('"key":"rotated"'), 30_000);
    const command = [fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url)), 'secrets'];
    const names = ['source-inline', 'sink-inline'].flatMap((name) => ['--connector', name]);
    const run = async (...args: readonly string[]): Promise<readonly [code: number, text: string]> => {
      const { code, text } = await promisify(execFile)(process.execPath, [...command, ...args, '--gateway', cluster.url]).then(
        ({ stdout }) => ({ code: 0, text: stdout }),
        (error: unknown) => {
          const { code: failed, stdout, stderr } = error as { readonly code: number; readonly stdout: string; readonly stderr: string };
          return { code: failed, text: stdout + stderr };
        },
      );
      answers.push(text);
      return [code, text];
    };
    expect(await run('rotate', '--dry-run', ...names)).toEqual([
      0,
      expect.stringMatching(/^sink-inline: would be encrypted with rotated: .*pin.* with e2e.*\nsource-inline: would be /),
    ]);
    expect(await run('rotate', ...names)).toEqual([
      0,
      expect.stringMatching(/^sink-inline: encrypted with rotated: .*pin.*\nsource-inline: /),
    ]);
    // Other connectors cannot be split, and are not rotated: they need the older key.
    expect(await run('status')).toEqual([0, expect.stringContaining('Older keys that are needed beside rotated: e2e (')]);
    writeFileSync(keys, `${newer}\n`);
    const config = JSON.parse((await ask('GET', '/connectors/source-inline/config')).text) as object;
    expect((await ask('PUT', '/connectors/source-inline/config', { ...config, note: 'after rotation' })).status).toBe(200);
    await untilFailed('source-inline', 'after rotation');
    expect([...inAnswers(), ...inFiles(), ...(await inTopics())]).toEqual([]);
  }, 400_000);

  it('restart the tasks that use one when it changes, if they are to', async () => {
    const file = join(outside, 'path.properties');
    for (const name of ['one', 'two']) writeFileSync(join(outside, name), `line of ${name}\n`);
    writeFileSync(file, `path=${join(outside, 'one')}\n`);
    const generationOf = async (name: string): Promise<number> => {
      const { body } = await cluster.request('GET', `/connectors/${name}/tasks/0/status`);
      const { state, generation } = body as { readonly state: string; readonly generation?: number };
      return state === 'RUNNING' ? (generation ?? 0) : 0;
    };
    const before = new Map<string, number>();
    for (const reload of ['restart', 'none']) {
      const config = {
        'connector.class': 'FileStreamSource',
        topic: cluster.topic(reload),
        file: `\${file:${file}:path}`,
        'config.action.reload': reload,
      };
      expect((await cluster.request('PUT', `/connectors/reload-${reload}/config`, config)).status).toBe(201);
      await cluster.untilTask(`reload-${reload}`, 'RUNNING');
      before.set(reload, await generationOf(`reload-${reload}`));
    }
    writeFileSync(file, `path=${join(outside, 'two')}\n`);
    await until('the task has a new generation', async () => (await generationOf('reload-restart')) > (before.get('restart') ?? 0), 60_000);
    expect(cluster.role('source-runner-1').log).toContain(`Task reload-restart-0 restarts: the value of \${file:${file}:path} has changed`);
    expect(await generationOf('reload-none')).toBe(before.get('none'));
  }, 300_000);

  const inAnswers = (): readonly string[] => {
    expect(answers.length).toBeGreaterThan(20);
    return answers.flatMap((answer) => secretsIn(answer).map((secret) => `${secret}: ${answer}`));
  };

  const inTraces = async (): Promise<readonly string[]> => {
    await until('a put that failed is traced', () => traces.spans.some(({ name, error }) => name === 'put' && error?.startsWith('put: ')));
    return traces.texts.flatMap((text) => secretsIn(text).map((secret) => `${secret}: traces`));
  };

  const inFiles = (): readonly string[] => {
    const texts = textsBelow(cluster.directory);
    const files = [...texts.keys()];
    expect(files.filter((file) => file.endsWith('.log')).length).toBeGreaterThanOrEqual(4);
    expect(files.some((file) => file.endsWith('connectorConfig.json'))).toBe(true);
    expect(cluster.role('source-runner-1').log).toContain('started with');
    return files.flatMap((file) => secretsIn(texts.get(file) ?? '').map((secret) => `${secret}: ${file}`));
  };

  const inMetrics = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for (const role of cluster.roles.filter(({ isRunning }) => isRunning)) {
      const url = /is up: (http:\S+)\/health\/ready/.exec(role.log)?.[1] ?? '';
      const text = await (await fetch(`${url}/metrics`)).text();
      expect(text).toContain('sluice_');
      found.push(...secretsIn(text).map((secret) => `${secret}: metrics of ${role.id}`));
    }
    return found;
  };

  /** Reads every message of the topics of the Connect cluster, and of the records, as they are stored. */
  const inTopics = async (): Promise<readonly string[]> => {
    const { clusterId, rocketmq } = cluster;
    const client = RocketMqClient.open({ namesrv: rocketmq.namesrv });
    const found: string[] = [];
    try {
      const { log, commands, reports, positions, rpc } = topicsOf(clusterId);
      const names = [...[log, commands, reports, positions, rpc].map(({ name }) => name), cluster.topic('leaks')];
      for (const topic of names) {
        let read = 0;
        const { brokers } = await client.routes.get(topic);
        const brokerName = brokers[0]?.brokerName ?? '';
        for (let queueId = 0; queueId < 16; queueId += 1) {
          const queue = { topic, brokerName, queueId };
          const end = await client.admin.maxOffset(queue).catch(() => 0);
          if (end === 0) continue;
          const reader = client.consumer.readQueue(queue, { from: 0, group: readerGroupOf(clusterId), ahead: 1 });
          try {
            for (let next = 0; next < end;) {
              for (const message of await reader.next()) {
                next = message.queueOffset + 1;
                read += 1;
                const text = `${readable(Buffer.from(message.body))} ${JSON.stringify([...message.properties()])}`;
                found.push(
                  ...secretsIn(text).map((secret) => `${secret}: ${topic} ${queueId}@${message.queueOffset} ${text.slice(0, 2000)}`),
                );
              }
            }
          } finally {
            reader.close();
          }
        }
        expect([topic, read]).not.toEqual([topic, 0]);
      }
    } finally {
      await client.close();
    }
    return found;
  };
});
