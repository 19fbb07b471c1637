import { describe, expect, it } from '@jest/globals';
import type { SinkConnector, SourceConnector, TaskConfig } from '@sluice/sdk';
import { SPLITTING } from '../testing/split-context.js';
import { PluginRegistry } from './plugin-registry.js';

const common = {
  aliases: [],
  version: '1.0.0',
  doc: 'Does nothing.',
  spec: {},
  taskConfigs: (config: TaskConfig) => [config],
  createTask: (): never => {
    throw new Error('not needed');
  },
} satisfies Omit<SourceConnector, 'kind' | 'name'> & Omit<SinkConnector, 'kind' | 'name'>;
const registry = new PluginRegistry([
  { ...common, kind: 'source', name: 'NoSource' },
  { ...common, kind: 'sink', name: 'NoSink' },
]);
const url = 'rocketmq://ns1:9876,ns2:9876';

describe('the settings of the cluster in which the topics of a connector live', () => {
  it.each(['NoSource', 'NoSink'])('belong to every connector, and hide its secrets: %s', async (name) => {
    const config = {
      name: 'c',
      'connector.class': name,
      topics: 't',
      'data.cluster.url': url,
      'data.cluster.access.key': 'visitor',
      'data.cluster.secret.key': 'geheim',
      'data.cluster.security.token': 'losung',
    };
    const answer = await registry.validate(name, config);
    expect(answer.errorCount).toBe(0);
    expect(answer.warnings.filter((warning) => warning.includes('data.cluster'))).toEqual([]);
    const shown = new Map(answer.fields.map(({ state }) => [state.name, state.value]));
    expect(shown.get('data.cluster.url')).toBe(url);
    expect(shown.get('data.cluster.access.key')).toBe('visitor');
    for (const key of ['secret.key', 'security.token']) expect(shown.get(`data.cluster.${key}`)).toBe('[hidden]');
    expect(JSON.stringify(answer)).not.toMatch(/geheim|losung/);
  });

  it.each([
    ['data.cluster.url', { 'data.cluster.url': 'ns1:9876' }, 'Expected rocketmq://host:port'],
    ['data.cluster.url', { 'data.cluster.url': 'rocketmq+grpc://proxy' }, 'expected the name servers of its cluster'],
    ['data.cluster.secret.key', { 'data.cluster.url': url, 'data.cluster.access.key': 'a' }, 'data.cluster.secret.key is missing'],
    ['data.cluster.vip', { 'data.cluster.vip': 'true' }, 'has no effect without data.cluster.url'],
  ])('are refused where they are wrong together, as an error of %s: %j', async (field, settings, message) => {
    const config: Record<string, string> = { name: 'c', 'connector.class': 'NoSource', ...settings };
    const answer = await registry.validate('NoSource', config);
    const errors = answer.fields.flatMap(({ state }) => state.errors.map((error) => [state.name, error]));
    expect(errors).toEqual([[field, expect.stringContaining(message)]]);
    await expect(registry.taskConfigs(config, SPLITTING)).resolves.toEqual({ error: expect.stringContaining(message) });
  });

  it('are refused with a hint where one is mistyped', async () => {
    const config = { name: 'c', 'connector.class': 'NoSource', 'data.cluster.urls': url };
    expect((await registry.validate('NoSource', config)).warnings).toEqual([
      'Configuration data.cluster.urls is not a known setting. Did you mean data.cluster.url?',
    ]);
  });
});
