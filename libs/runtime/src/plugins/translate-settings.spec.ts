import { describe, expect, it } from '@jest/globals';
import type { DesiredTask } from '@sluice/core';
import { isConfigError, type SourceConnector, type TaskConfig } from '@sluice/sdk';
import { ConfigSecrets } from '../secrets/config-secrets.js';
import { SPLITTING } from '../testing/split-context.js';
import { PluginRegistry } from './plugin-registry.js';

const checked: TaskConfig[] = [];
const split: TaskConfig[] = [];

/** Knows `old.place` and `old.pin` of another system. */
const moved: SourceConnector = {
  kind: 'source',
  name: 'Moved',
  aliases: [],
  version: '1.0.0',
  doc: 'Understands settings of another system.',
  spec: {
    place: { type: 'string', importance: 'high', doc: 'Place.' },
    pin: { type: 'password', importance: 'low', doc: 'Opens.', optional: true },
  },
  translateSettings: (config) => {
    const { 'old.place': place, 'old.pin': pin, ...others } = config;
    if (place === undefined) return { settings: config, errors: [], notes: [] };
    const errors = place === 'nowhere' ? [{ field: 'old.place', message: 'Invalid value nowhere for configuration old.place' }] : [];
    const settings = { ...others, ...(errors.length === 0 ? { place } : {}), ...(pin === undefined ? {} : { pin }) };
    return { settings, errors, notes: ['old.place: now place'] };
  },
  validate: (config) => {
    checked.push(config);
    return [];
  },
  taskConfigs: (config) => {
    split.push(config);
    return [{ part: `${config['place'] ?? ''}/0` }];
  },
  createTask: () => {
    throw new Error('not needed');
  },
};
const env = { get: () => Promise.resolve({ values: new Map([['PIN', 'opensesame']]) }) };
const secrets = new ConfigSecrets({ providers: new Map([['env', env as never]]) });
const TASK = { id: { connector: 'c', index: 0 }, generation: 1, type: 'source', paused: false, committed: false } as const satisfies Omit<
  DesiredTask,
  'config'
>;
const config = { name: 'c', 'connector.class': 'Moved', 'old.place': 'here' };

describe.each([
  ['as it is', new PluginRegistry([moved], { secrets })],
  ['with converters that the node prefers', new PluginRegistry([moved], { secrets, preferred: { key: 'StringConverter' } })],
])('a connector that translates settings, %s', (_case, registry) => {
  it('checks what it has translated, and answers what users wrote with its notes', async () => {
    const answer = await registry.validate('Moved', config);
    expect(answer).toMatchObject({ errorCount: 0, warnings: ['old.place: now place'] });
    expect(checked.at(-1)).toMatchObject({ place: 'here' });
    const valueOf = (name: string): unknown => answer.fields.find(({ state }) => state.name === name)?.state.value;
    expect([valueOf('place'), valueOf('old.place')]).toEqual(['here', 'here']);
  });

  it('refuses what it cannot translate: in a check, in a split and in a task', async () => {
    const wrong = { ...config, 'old.place': 'nowhere' };
    const answer = await registry.validate('Moved', wrong);
    expect(answer.fields.find(({ state }) => state.name === 'old.place')?.state.errors).toEqual([expect.stringContaining('nowhere')]);
    expect(await registry.taskConfigs(wrong, SPLITTING)).toMatchObject({ error: expect.stringContaining('nowhere') });
    const task = { ...TASK, config: wrong };
    const refused = await registry.resolveTask(task, new AbortController().signal).catch((error: unknown) => error);
    expect(isConfigError(refused) && refused.errors[0]?.field).toBe('old.place');
  });

  it('splits what it has translated, and gives tasks and the instance nothing else', async () => {
    const answer = await registry.taskConfigs(config, SPLITTING);
    expect(split.at(-1)).toMatchObject({ place: 'here' });
    expect(answer).toEqual({ tasks: [{ name: 'c', 'connector.class': 'Moved', place: 'here', part: 'here/0' }] });
    const task = { ...TASK, config: { ...config, part: '0' }, connectorConfig: config };
    const { config: ofTask, connectorConfig } = await registry.resolveTask(task, new AbortController().signal);
    expect([ofTask['place'], ofTask['old.place'], connectorConfig?.['place'], connectorConfig?.['old.place']]).toEqual([
      'here',
      undefined,
      'here',
      undefined,
    ]);
  });

  it('leaves no password of the other name in answers', async () => {
    const answer = JSON.stringify(await registry.validate('Moved', { ...config, 'old.pin': 'opensesame' }));
    expect(answer.match(/"name":"pin"[^}]*/)?.[0]).not.toContain('opensesame');
  });
});
