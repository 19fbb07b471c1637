import { describe, expect, it } from '@jest/globals';
import type { SourceConnector, TaskConfig } from '@sluice/sdk';
import type { ValidateAnswer } from '@sluice/protocol';
import { ConfigSecrets } from '../secrets/config-secrets.js';
import { SPLITTING } from '../testing/split-context.js';
import { PluginRegistry } from './plugin-registry.js';

const source: SourceConnector = {
  kind: 'source',
  name: 'ListSource',
  aliases: [],
  version: '1.0.0',
  doc: 'Lists.',
  spec: {
    lists: { type: 'list', importance: 'high', doc: 'Lists.', nonEmpty: true },
    pin: { type: 'password', importance: 'low', doc: 'Opens.', optional: true },
    last: { type: 'int', importance: 'low', doc: 'Last.', default: 9 },
  },
  validate: ({ last, pin }) => (last === '0' ? [{ field: 'last', message: `Last must not be 0 with ${pin ?? ''}` }] : []),
  taskConfigs: ({ lists, pin }) => {
    if (lists === 'bad') throw new Error(`Cannot split with ${pin ?? ''}`);
    return (lists ?? '').split(',').map((item) => ({ lists: item }));
  },
  createTask: () => {
    throw new Error('not needed');
  },
};
const good = { name: 'c', 'connector.class': 'ListSource', lists: 'a,b' };

function stateOf(validation: ValidateAnswer, name: string): ValidateAnswer['fields'][number]['state'] | undefined {
  return validation.fields.find(({ state }) => state.name === name)?.state;
}
function errorsOf(validation: ValidateAnswer): readonly (readonly [string, string])[] {
  return validation.fields.flatMap(({ state }) => state.errors.map((error) => [state.name, error] as const));
}

describe('settings with references', () => {
  const values: Record<string, string> = { PIN: 's3cret-pin', LAST: '7', LISTS: 'a,b', BAD: 'bad', WRONG: 'hunter2' };
  const provider = {
    get: (_: string, keys: readonly string[]) =>
      Promise.resolve({ values: Object.fromEntries(keys.map((key) => [key, values[key] ?? ''])) }),
  };
  const resolving = new PluginRegistry([source], { secrets: new ConfigSecrets({ providers: new Map([['env', provider]]) }) });
  const referring = { ...good, pin: '${env:PIN}', last: '${env:LAST}' };

  it('are checked with their values and shown as they are', async () => {
    const validation = await resolving.validate('ListSource', referring);
    expect([validation.errorCount, stateOf(validation, 'pin')?.value, stateOf(validation, 'last')?.value]).toEqual([
      0,
      '${env:PIN}',
      '${env:LAST}',
    ]);
    const wrong = await resolving.validate('ListSource', { ...referring, last: '${env:WRONG}', 'x.unknown': '${env:PIN}' });
    expect(errorsOf(wrong)).toEqual([['last', expect.stringContaining('Invalid value ${env:WRONG} for configuration last')]]);
    expect(JSON.stringify(wrong)).not.toMatch(/hunter2|s3cret/);
    values['LAST'] = '0';
    const refused = await resolving.validate('ListSource', referring);
    values['LAST'] = '7';
    expect(errorsOf(refused)).toEqual([['last', 'Last must not be 0 with ${env:PIN}']]);
  });

  it('are refused by setting and reference where no config provider resolves them', async () => {
    const validation = await new PluginRegistry([source]).validate('ListSource', referring);
    const reason = 'cannot be resolved: this runner has no config provider env';
    expect(validation.errorCount).toBe(2);
    expect(errorsOf(validation)).toEqual([
      ['pin', expect.stringContaining(`the reference \${env:PIN} ${reason}`)],
      ['last', expect.stringContaining(`the reference \${env:LAST} ${reason}`)],
    ]);
  });

  it('are not given to the connector for its own check while one has no value', async () => {
    const validation = await new PluginRegistry([source]).validate('ListSource', { ...good, pin: '${env:PIN}', last: '0' });
    expect(errorsOf(validation).map(([field]) => field)).toEqual(['pin']);
  });

  it('hide what is written beside a reference in a secret setting', async () => {
    const validation = await resolving.validate('ListSource', { ...referring, pin: 'abc${env:PIN}' });
    expect(stateOf(validation, 'pin')?.value).toBe('[hidden]');
  });

  it('are split with their values, and tasks have the references again', async () => {
    const { tasks } = (await resolving.taskConfigs({ ...referring, lists: '${env:LISTS}', 'tasks.max': '2' }, SPLITTING)) as {
      tasks: readonly TaskConfig[];
    };
    expect(tasks).toEqual([
      expect.objectContaining({ lists: 'a', pin: '${env:PIN}', last: '${env:LAST}' }),
      expect.objectContaining({ lists: 'b', pin: '${env:PIN}' }),
    ]);
  });

  it('have no value in the error of a connector that cannot be split', async () => {
    const answer = await resolving.taskConfigs({ ...referring, lists: '${env:BAD}' }, SPLITTING);
    expect(answer).toEqual({ error: 'Cannot split with ${env:PIN}' });
  });

  it('say why a task cannot start, and whether it may later', async () => {
    const task = { id: { connector: 'c', index: 0 }, generation: 1, type: 'source', paused: false, committed: false } as const;
    const { signal } = new AbortController();
    expect(await resolving.resolveTask({ ...task, config: referring, connectorConfig: referring }, signal)).toMatchObject({
      config: { pin: 's3cret-pin', last: '7' },
      connectorConfig: { pin: 's3cret-pin' },
      resolved: expect.arrayContaining([{ value: 's3cret-pin', source: '${env:PIN}' }]),
    });
    await expect(new PluginRegistry([source]).resolveTask({ ...task, config: referring }, signal)).rejects.toMatchObject({
      code: 'CONNECT_CONFIG_INVALID',
      retriable: false,
    });
  });
});
