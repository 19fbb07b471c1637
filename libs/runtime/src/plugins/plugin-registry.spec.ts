import { describe, expect, it } from '@jest/globals';
import type { DefinitionsAnswer, ValidateAnswer } from '@sluice/protocol';
import {
  ConnectErrorCode,
  type ConverterPlugin,
  RetriableError,
  type SinkConnector,
  type SourceConnector,
  type TaskConfig,
} from '@sluice/sdk';
import { parseSinkSettings } from '../config/connector-settings.js';
import { subscriptionOf } from '../config/loop-settings.js';
import { ownsQueue } from '../sink/queue-division.js';
import { SPLITTING } from '../testing/split-context.js';
import { ConnectorChecks } from './connector-checks.js';
import { PluginRegistry } from './plugin-registry.js';
import { UnknownPluginError } from './plugin-registry.js';
import { SinkDivider } from './sink-divider.js';

const source: SourceConnector = {
  kind: 'source',
  name: 'ListSource',
  aliases: ['org.acme.ListSourceConnector'],
  version: '1.2.3',
  doc: 'Lists.',
  spec: {
    lists: { type: 'list', importance: 'high', doc: 'Lists.', nonEmpty: true, aliases: ['names'], group: 'List' },
    pin: { type: 'password', importance: 'low', doc: 'Opens.', optional: true },
    last: { type: 'int', importance: 'low', doc: 'Last.', default: 9 },
  },
  validate: ({ last, pin }) => (last === '0' ? [{ field: 'last', message: `Last must not be 0 with ${pin ?? 'no pin'}` }] : []),
  taskConfigs: ({ lists, names, pin }, maxTasks) => {
    const items = (lists ?? names ?? '').split(',');
    if (items.includes('bad')) throw new Error(`Cannot split with ${pin ?? ''}`);
    if (items.includes('none')) return [];
    if (items.includes('many')) return Array.from({ length: maxTasks + 1 }, () => ({}));
    return items.slice(0, maxTasks).map((item) => ({ lists: item }));
  },
  defaultConverters: { value: 'ByteArrayConverter' },
  createTask: () => {
    throw new Error('not needed');
  },
};
const sink: SinkConnector = {
  kind: 'sink',
  name: 'org.acme.ListSink',
  aliases: [],
  version: '1.0.0',
  doc: 'Lists.',
  spec: {},
  taskConfigs: (config, maxTasks) => Array.from({ length: maxTasks }, () => config),
  createTask: () => {
    throw new Error('not needed');
  },
};
const registry = new PluginRegistry([source, sink]);
const good = { name: 'c', 'connector.class': 'ListSource', lists: 'a,b' };

function stateOf(validation: ValidateAnswer, name: string): ValidateAnswer['fields'][number]['state'] | undefined {
  return validation.fields.find(({ state }) => state.name === name)?.state;
}
function errorsOf(validation: ValidateAnswer): readonly (readonly [string, string])[] {
  return validation.fields.flatMap(({ state }) => state.errors.map((error) => [state.name, error] as const));
}
function fieldOf({ fields }: DefinitionsAnswer, name: string): DefinitionsAnswer['fields'][number] | undefined {
  return fields.find((field) => field.name === name);
}

describe('finding plugins', () => {
  it.each(['ListSource', 'org.acme.ListSourceConnector', 'ListSourceConnector'])('finds a connector as %s', (name) => {
    expect(registry.connector(name)).toBe(source);
  });

  it('finds a connector by the last part of its name', () => {
    expect(registry.find('ListSink')).toBe(sink);
    expect(registry.find('com.other.ListSink')).toBeUndefined();
  });

  it('leaves out last parts that two connectors have', () => {
    const other = { ...sink, name: 'com.other.ListSink' };
    const both = new PluginRegistry([sink, other]);
    expect(both.find('ListSink')).toBeUndefined();
    expect(both.find('com.other.ListSink')).toBe(other);
  });

  it('refuses two connectors of one name', () => {
    const twin = { ...sink, aliases: ['ListSource'] };
    expect(() => new PluginRegistry([source, twin])).toThrow('Two connectors are called ListSource');
  });

  it('says what is there when a class is unknown', () => {
    const error = new UnknownPluginError('Nope', ['ListSource (source 1.2.3)', 'org.acme.ListSink (sink 1.0.0)']);
    expect(() => registry.connector('Nope')).toThrow(error);
    expect(error.code).toBe(ConnectErrorCode.pluginNotFound);
    expect(error.message).toBe(
      'Failed to find any class that implements Connector and which name matches Nope, available connectors are: ' +
        'ListSource (source 1.2.3), org.acme.ListSink (sink 1.0.0)',
    );
  });

  it('lists connectors with all names that they answer to, and converters', () => {
    expect(registry.pluginInfos().slice(0, 3)).toMatchObject([
      {
        kind: 'source',
        name: 'ListSource',
        aliases: ['org.acme.ListSourceConnector', 'ListSourceConnector'],
        version: '1.2.3',
      },
      { kind: 'sink', name: 'org.acme.ListSink', aliases: ['ListSink'], version: '1.0.0' },
      { kind: 'converter', name: 'StringConverter' },
    ]);
  });
});

describe('versions of plugins', () => {
  const newer: SourceConnector = {
    ...source,
    version: '2.0.0',
    spec: { ...source.spec, speed: { type: 'int', importance: 'low', doc: 'Speed.', default: 1 } },
    taskConfigs: () => [{ lists: 'newer' }],
  };
  const upper = (version: string, setting: string): ConverterPlugin => ({
    kind: 'converter',
    name: 'Upper',
    aliases: ['org.acme.Upper'],
    version,
    doc: 'Upper.',
    spec: { [setting]: { type: 'password', importance: 'low', doc: 'Opens.', optional: true } },
    create: () => {
      throw new Error('not needed');
    },
  });
  const both = new PluginRegistry([source, newer]);
  both.add({ connectors: [], converters: [upper('1.0.0', 'pin'), upper('1.1.0-rc.1', 'code')], transforms: [], predicates: [] });
  const pinned = (version: string): TaskConfig => ({ ...good, 'connector.plugin.version': version });

  it.each([
    [undefined, '2.0.0'],
    ['latest', '2.0.0'],
    [' ', '2.0.0'],
    ['1.2.3', '1.2.3'],
    ['[1.0,2.0)', '1.2.3'],
    ['(,3.0)', '2.0.0'],
  ])('are side by side: %s means %s', async (version, expected) => {
    const config = version === undefined ? good : pinned(version);
    expect(both.connectorOf(config).version).toBe(expected);
    expect((await both.validate('ListSource', config)).errorCount).toBe(0);
    expect(fieldOf(both.definitions('ListSource', version?.trim() === '' ? undefined : version), 'speed') === undefined).toBe(
      expected === '1.2.3',
    );
  });

  it('are listed one by one, with all names', () => {
    expect(both.pluginInfos().filter(({ name }) => name === 'ListSource' || name === 'Upper')).toMatchObject([
      { version: '1.2.3', aliases: ['org.acme.ListSourceConnector', 'ListSourceConnector'], doc: 'Lists.' },
      { version: '2.0.0', aliases: ['org.acme.ListSourceConnector', 'ListSourceConnector'], doc: 'Lists.' },
      { kind: 'converter', version: '1.0.0' },
      { kind: 'converter', version: '1.1.0-rc.1' },
    ]);
  });

  it('split a connector each in its way', async () => {
    expect(await both.taskConfigs(pinned('1.2.3'), SPLITTING)).toMatchObject({ tasks: [{ lists: 'a' }] });
    expect(await both.taskConfigs(pinned('2.0.0'), SPLITTING)).toMatchObject({ tasks: [{ lists: 'newer' }] });
  });

  it.each([
    ['connector', '4.0.0', 'ListSource has no such version. Available versions are: 2.0.0, 1.2.3.'],
    ['connector', '>=1', 'Allowed are a version such as 1.2.0, a range such as [1.2,2.0), several'],
    ['value.converter', '[2.0,)', 'Upper has no such version. Available versions are: 1.0.0, 1.1.0-rc.1.'],
    ['key.converter', '9.9.9', 'StringConverter has no such version. Available versions are: 0.1.0.'],
    ['transforms.f', '9.9.9', 'Filter has no such version. Available versions are: 0.1.0.'],
    ['predicates.p', '9.9.9', 'RecordIsTombstone has no such version. Available versions are: 0.1.0.'],
  ])('are refused by name where there is none: %s %s', async (prefix, version, reason) => {
    const field = `${prefix}.plugin.version`;
    const config = {
      ...good,
      'value.converter': 'Upper',
      ...{ transforms: 'f', 'transforms.f.type': 'Filter', predicates: 'p', 'predicates.p.type': 'RecordIsTombstone' },
      [field]: version,
    };
    const message = `Invalid value ${version} for configuration ${field}: ${reason}`;
    expect(errorsOf(await both.validate('ListSource', config))).toEqual([[field, expect.stringContaining(message)]]);
    expect(await both.taskConfigs(config, SPLITTING)).toEqual({ error: expect.stringContaining(message) });
  });

  it('hide the secrets of what the configuration chooses, as the chosen version defines them', async () => {
    const config = { ...good, 'value.converter': 'Upper', 'value.converter.pin': 'hunter2', last: '0' };
    const hide = both.secretsHider(config);
    expect(hide('with hunter2')).toBe('with [hidden]');
    expect(JSON.stringify(await both.validate('ListSource', config))).not.toContain('hunter2');
    const other = await both.validate('ListSource', { ...config, 'value.converter.plugin.version': '1.1.0-rc.1' });
    expect(errorsOf(other)).toContainEqual([
      'value.converter.pin',
      'Configuration value.converter.pin is not a setting of Upper. Its settings are: code.',
    ]);
  });

  it('cannot come twice, and a version has to be one', () => {
    expect(() => {
      both.add({ connectors: [{ ...newer, aliases: [] }], converters: [], transforms: [], predicates: [] });
    }).toThrow('Two connectors are called ListSource: ListSource (source 2.0.0) and ListSource (source 2.0.0)');
    expect(() => new PluginRegistry([{ ...source, version: 'new' }])).toThrow(
      'ListSource has the version "new"; it must be a semantic version such as 1.2.0',
    );
  });

  it('are added all or not at all', () => {
    const registry = new PluginRegistry([source]);
    const add = (): void => {
      registry.add({
        connectors: [newer],
        converters: [{ ...upper('1.0.0', 'pin'), name: 'JsonConverter' }, upper('1.0.0', 'pin')],
        transforms: [],
        predicates: [],
      });
    };
    expect(add).toThrow('Two converters are called org.acme.Upper');
    expect(registry.connectorOf(good)).toBe(source);
  });

  it('take the converters that the node prefers', () => {
    const preferring = new PluginRegistry([source], { preferred: { value: 'JsonConverter' } });
    expect(fieldOf(preferring.definitions('ListSource'), 'value.converter')).toMatchObject({ defaultValue: 'JsonConverter' });
  });
});

describe('definitions', () => {
  it('are those of the kind that is asked for, of several with one name', () => {
    const both = new PluginRegistry([{ ...source, name: 'JsonConverter', aliases: [] }]);
    const isConnector = [undefined, 'source', 'converter'].map(
      (kind) => fieldOf(both.definitions('JsonConverter', undefined, kind), 'tasks.max') !== undefined,
    );
    expect(isConnector).toEqual([true, true, false]);
    expect(() => both.definitions('JsonConverter', undefined, 'transform')).toThrow(UnknownPluginError);
  });

  it('describe the settings of every connector, of its kind and its own', () => {
    const definitions = registry.definitions('ListSourceConnector');
    expect(fieldOf(definitions, 'tasks.max')).toMatchObject({ defaultValue: '1', group: 'Common' });
    expect(fieldOf(definitions, 'topic.creation.enable')).toBeDefined();
    expect(fieldOf(definitions, 'topics')).toBeUndefined();
    expect(fieldOf(definitions, 'lists')).toMatchObject({ required: true });
    expect(fieldOf(definitions, 'value.converter')).toMatchObject({ defaultValue: 'ByteArrayConverter' });
    expect(fieldOf(definitions, 'key.converter')).toMatchObject({ defaultValue: 'StringConverter' });
    expect(fieldOf(registry.definitions('ListSink'), 'topics')).toBeDefined();
  });

  it('describe converters', () => {
    const { fields } = registry.definitions('org.apache.kafka.connect.json.JsonConverter');
    expect(fields[0]).toMatchObject({ name: 'schemas.enable', defaultValue: 'true' });
  });

  it('are refused for what is not there', () => {
    expect(() => registry.definitions('Nope')).toThrow(UnknownPluginError);
  });
});

describe('validate', () => {
  it('finds nothing wrong with a right configuration, and answers under the name of the class', async () => {
    const validation = await registry.validate('ListSourceConnector', good);
    expect(validation).toMatchObject({ className: 'ListSource', type: 'source', errorCount: 0, warnings: [] });
    expect(validation.groups).toEqual(expect.arrayContaining(['Common', 'Error Handling', 'Topic Creation', 'List']));
    expect(stateOf(validation, 'lists')).toMatchObject({ value: 'a,b', errors: [] });
  });

  it('takes the class asked for where the settings name none', async () => {
    expect((await registry.validate('ListSource', { name: 'c', lists: 'a' })).errorCount).toBe(0);
  });

  it('reports every wrong setting', async () => {
    const validation = await registry.validate('ListSource', { 'tasks.max': '0', last: 'x' });
    expect(errorsOf(validation)).toEqual([
      ['name', 'Missing required configuration "name" which has no default value.'],
      ['tasks.max', 'Invalid value 0 for configuration tasks.max: Value must be at least 1'],
      ['lists', 'Missing required configuration "lists" which has no default value.'],
      ['last', 'Invalid value x for configuration last: Not a number of type INT'],
    ]);
    expect(validation.errorCount).toBe(4);
  });

  it('warns of settings that nothing defines and shows them without a definition', async () => {
    const validation = await registry.validate('ListSource', { ...good, 'task.max': '3', 'api.key': 'abc' });
    expect(validation.errorCount).toBe(0);
    expect(validation.warnings).toEqual([
      'Configuration task.max is not a known setting. Did you mean tasks.max?',
      'Configuration api.key is not a known setting.',
    ]);
    expect(validation.fields.slice(-2)).toEqual([
      { state: { name: 'task.max', value: '3', recommendedValues: [], errors: [], visible: true } },
      { state: { name: 'api.key', value: '[hidden]', recommendedValues: [], errors: [], visible: true } },
    ]);
  });

  it('applies the rules of the connector, without the secrets that they repeat', async () => {
    const validation = await registry.validate('ListSource', { ...good, last: '0', pin: 'hunter2' });
    expect(errorsOf(validation)).toEqual([['last', 'Last must not be 0 with [hidden]']]);
    expect(stateOf(validation, 'pin')?.value).toBe('[hidden]');
    expect(JSON.stringify(validation)).not.toContain('hunter2');
  });

  it('counts rules about settings that do not exist, and rules that fail', async () => {
    const rule = (validate: SourceConnector['validate']): Promise<ValidateAnswer> =>
      new PluginRegistry([{ ...source, ...(validate === undefined ? {} : { validate }) }]).validate('ListSource', good);
    const odd = await rule(() => [{ field: 'nowhere', message: 'odd' }]);
    expect(odd.errorCount).toBe(1);
    expect(errorsOf(odd)).toEqual([['nowhere', 'odd']]);
    const failing = await rule(() => {
      throw new Error('broken');
    });
    expect(errorsOf(failing)).toEqual([['connector.class', 'ListSource could not check its settings: Error: broken']]);
  });

  it('reports a check that never ends, or waits for a system that is not there, without the secrets in its error', async () => {
    const never: SourceConnector = { ...source, validate: () => new Promise(() => undefined) };
    const impatient = new ConnectorChecks({ limitMs: 20, maxRunning: 1, maxWaiting: 1 });
    expect(errorsOf(await new PluginRegistry([never], { checks: impatient }).validate('ListSource', good))).toEqual([
      ['connector.class', 'ListSource could not check its settings: The check of ListSource did not end within 20 ms'],
    ]);
    const away: SourceConnector = { ...source, validate: ({ pin }) => Promise.reject(new RetriableError(`no answer to ${pin ?? ''}`)) };
    expect(errorsOf(await new PluginRegistry([away]).validate('ListSource', { ...good, pin: 'hunter2' }))).toEqual([
      ['connector.class', 'ListSource could not check its settings: no answer to [hidden]'],
    ]);
  });

  it('asks a connector only about settings that are right one by one', async () => {
    let asked = 0;
    const counting: SourceConnector = { ...source, validate: () => ((asked += 1), []) };
    await new PluginRegistry([counting]).validate('ListSource', { ...good, last: 'x' });
    expect(asked).toBe(0);
    await new PluginRegistry([counting]).validate('ListSource', good);
    expect(asked).toBe(1);
  });

  it('checks the names of converters and their settings', async () => {
    const unknown = await registry.validate('ListSource', {
      ...good,
      'value.converter': 'Nope',
      'value.converter.unknowable': 'x',
    });
    expect(errorsOf(unknown)).toEqual([
      ['value.converter', expect.stringContaining('Invalid value Nope for configuration value.converter: Class Nope')],
    ]);
    expect(unknown.warnings).toEqual([]);
    const wrong = await registry.validate('ListSource', {
      ...good,
      'value.converter': 'JsonConverter',
      'value.converter.schemas.enable': 'x',
    });
    expect(errorsOf(wrong)).toEqual([
      ['value.converter.schemas.enable', expect.stringContaining('Expected value to be either true or false')],
    ]);
  });

  it.each([
    ['errors.deadletterqueue.read.queue.nums', '4', 'with 8 queues; create the topic yourself'],
    ['topic.creation.groups', 'compacted', 'all topics of a source alike'],
    ['topic.creation.default.cleanup.policy', 'compact', 'only the number of queues'],
    ['producer.override.linger.ms', '5', 'the clients of Kafka'],
    ['ordering.msg.enable', 'true', 'queue.by=key keeps those with equal keys in one queue'],
    ['task.group.id', 'g', 'the consumer group follows'],
    ['task.granularity', 'topic', 'a source divides its partitions over its tasks itself'],
    ['sluice.task.count', '9', 'Sluice writes the settings with this prefix itself'],
  ])('refuses %s=%s, whose effect Sluice does not have', async (name, value, reason) => {
    const validation = await registry.validate('ListSource', { ...good, [name]: value });
    expect(errorsOf(validation)).toEqual([
      [name, expect.stringMatching(`^Configuration ${name.replaceAll('.', '\\.')} is not supported: .*${reason}`)],
    ]);
    expect(validation).toMatchObject({ errorCount: 1, warnings: [] });
  });

  it.each([
    [{ 'queue.by': 'random' }, 'queue.by', /random.*partition, key, header/],
    [{ 'queue.by': 'header' }, 'queue.by.header', /needs the name of a header/],
    [{ 'queue.by': 'key', 'queue.by.header': 'h' }, 'queue.by.header', /has no effect with queue\.by=key/],
  ])('refuses %j of a source', async (settings, field, reason) => {
    const validation = await registry.validate('ListSource', { ...good, ...settings });
    expect(errorsOf(validation)).toEqual([[field, expect.stringMatching(reason)]]);
    expect(validation.errorCount).toBe(1);
  });

  it('accepts values that ask for what happens anyway', async () => {
    const validation = await registry.validate('ListSource', {
      ...good,
      transforms: '',
      predicates: ' ',
      'errors.deadletterqueue.topic.name': '',
      'errors.deadletterqueue.context.headers.enable': 'false',
      'errors.log.enable': 'TRUE',
      'exactly.once.support': 'requested',
      'tasks.max.enforce': 'true',
    });
    expect(validation).toMatchObject({ errorCount: 0, warnings: [] });
  });

  it.each(['topic.creation.default.replication.factor', 'errors.deadletterqueue.topic.replication.factor'])(
    'warns of a replication factor, which topics of RocketMQ do not have: %s',
    async (name) => {
      const { errorCount, warnings } = await registry.validate('ListSource', { ...good, [name]: '3' });
      expect({ errorCount, warnings }).toEqual({ errorCount: 0, warnings: [expect.stringContaining(`${name} has no effect`)] });
    },
  );

  it("leaves a connector's own settings to it, whatever they are called", async () => {
    const own: SourceConnector = {
      ...source,
      spec: { ...source.spec, 'task.group.id': { type: 'string', importance: 'low', doc: 'Own.', optional: true } },
    };
    expect((await new PluginRegistry([own]).validate('ListSource', { ...good, 'task.group.id': 'x' })).errorCount).toBe(0);
  });

  it('refuses references that no config provider resolves', async () => {
    const { errorCount } = await registry.validate('ListSource', { ...good, pin: '${file:/run/secrets:pin}', last: '${env:LAST}' });
    expect(errorCount).toBe(2);
  });

  it.each([
    ['decimal.format', 'TEXT', 'String must be one of: BASE64, base64, NUMERIC, numeric'],
    ['replace.null.with.default', 'maybe', 'either true or false'],
    ['schema.enable', 'false', 'is not a setting of JsonConverter. Did you mean value.converter.schemas.enable?'],
    ['nothing', 'x', 'is not a setting of JsonConverter. Its settings are: schemas.enable, decimal.format'],
  ])('refuses the setting %s=%s that the converter does not have', async (name, value, message) => {
    const validation = await registry.validate('ListSource', {
      ...good,
      'value.converter': 'JsonConverter',
      [`value.converter.${name}`]: value,
    });
    expect(errorsOf(validation)).toEqual([[`value.converter.${name}`, expect.stringContaining(message)]]);
    expect(validation.warnings).toEqual([]);
  });

  it('refuses a misspelt or unsupported setting also where it splits a connector', async () => {
    await expect(registry.taskConfigs({ ...good, transforms: 'mask' }, SPLITTING)).resolves.toEqual({
      error: expect.stringContaining('Missing required configuration "transforms.mask.type"'),
    });
  });

  it.each(['db.inventory.items', 'x'.repeat(128), 'a b', 'ü'])('refuses the topic %s, which cannot exist', async (topic) => {
    const validation = await registry.validate('ListSink', {
      name: 'c',
      'connector.class': 'ListSink',
      topics: `a,${topic}`,
    });
    expect(errorsOf(validation)).toEqual([
      ['topics', expect.stringMatching(/^Invalid value .* for configuration topics: Topic .* a topic's name has 1 to 127/)],
    ]);
  });

  it('lets a source require exactly once that says it supports it, with these settings', async () => {
    const supporting: SourceConnector = { ...source, exactlyOnceSupport: ({ last }) => (last === '1' ? 'unsupported' : 'supported') };
    const of = async (connector: SourceConnector, settings: TaskConfig): ReturnType<PluginRegistry['validate']> =>
      new PluginRegistry([connector]).validate('ListSource', { ...good, ...settings });
    for (const given of ['required', 'REQUIRED', 'requested']) {
      expect((await of(supporting, { 'exactly.once.support': given })).errorCount).toBe(0);
    }
    expect((await of(source, {})).errorCount).toBe(0);
    const failing: SourceConnector = {
      ...source,
      exactlyOnceSupport: ({ pin }) => {
        throw new Error(`odd ${pin ?? ''}`);
      },
    };
    const mute = { ...source, exactlyOnceSupport: () => 'yes' } as unknown as SourceConnector;
    const later = { ...source, exactlyOnceSupport: () => Promise.reject(new Error('no system')) } as unknown as SourceConnector;
    const refused: readonly (readonly [SourceConnector, TaskConfig, string])[] = [
      [source, {}, 'ListSource does not say whether it can'],
      [mute, {}, 'ListSource does not say whether it can'],
      [later, {}, 'ListSource does not say whether it can'],
      [supporting, { last: '1' }, 'ListSource cannot with these settings'],
      [failing, { pin: 'hunter2' }, 'ListSource could not say whether it can: Error: odd [hidden]'],
    ];
    for (const [connector, settings, why] of refused) {
      expect(errorsOf(await of(connector, { ...settings, 'exactly.once.support': 'REQUIRED' }))).toEqual([
        ['exactly.once.support', `Invalid value REQUIRED for configuration exactly.once.support: ${why}. Leave it out, or give requested.`],
      ]);
    }
  });

  it('shows the choice of exactly once, refuses others, and has none for sinks', async () => {
    expect(stateOf(await registry.validate('ListSource', good), 'exactly.once.support')).toMatchObject({
      value: 'requested',
      recommendedValues: expect.arrayContaining(['requested', 'required']),
    });
    expect(errorsOf(await registry.validate('ListSource', { ...good, 'exactly.once.support': 'maybe' }))).toEqual([
      ['exactly.once.support', expect.stringContaining('must be one of: requested, required')],
    ]);
    const sinkSettings = { name: 'c', topics: 't', 'exactly.once.support': 'required' };
    expect(errorsOf(await registry.validate('ListSink', sinkSettings))).toEqual([
      ['exactly.once.support', expect.stringContaining('is not supported: it is a setting of sources')],
    ]);
  });

  it('refuses a granularity of tasks that there is not', async () => {
    const settings = { name: 'c', 'connector.class': 'ListSink', topics: 'a', 'task.granularity': 'broker' };
    expect(errorsOf(await registry.validate('ListSink', settings))).toEqual([
      ['task.granularity', expect.stringMatching(/^Invalid value broker .*queue, topic/)],
    ]);
  });

  it('wants topics of a sink', async () => {
    const settings = { name: 'c', 'connector.class': 'ListSink' };
    expect(errorsOf(await registry.validate('ListSink', settings))).toEqual([['topics', 'Must configure one of topics or topics.regex']]);
    expect((await registry.validate('ListSink', { ...settings, 'connect.topicnames': 'a;b' })).errorCount).toBe(0);
  });
});

describe('taskConfigs', () => {
  const split = (config: TaskConfig): ReturnType<PluginRegistry['taskConfigs']> => registry.taskConfigs(config, SPLITTING);

  it('puts what a task is given over the settings of its connector', async () => {
    await expect(split({ ...good, 'tasks.max': '2' })).resolves.toEqual({
      tasks: [
        { ...good, 'tasks.max': '2', lists: 'a' },
        { ...good, 'tasks.max': '2', lists: 'b' },
      ],
    });
  });

  it('replaces settings that the connector has under another name', async () => {
    const config = { name: 'c', 'connector-class': 'ListSource', names: 'a,b' };
    await expect(split(config)).resolves.toEqual({
      tasks: [{ name: 'c', 'connector-class': 'ListSource', lists: 'a' }],
    });
  });

  it('gives the tasks of a sink their number', async () => {
    const config = { name: 'c', 'connector.class': 'ListSink', topics: 't', 'max.tasks': '2' };
    const task = { ...config, 'sluice.task.count': '2' };
    await expect(split(config)).resolves.toEqual({ tasks: [task, task] });
  });

  it('has the queues of a sink divided', async () => {
    // By the rule one task would have both.
    const queues = ['a', 'c'].map((topic) => ({ topic, brokerName: 'x', queueId: 0 }));
    const messages = {
      topics: () => Promise.resolve([]),
      queues: (topic: string) => Promise.resolve(queues.filter((queue) => queue.topic === topic)),
    };
    const divider = new SinkDivider({
      inCluster: (_, action) => action(messages),
      presentTasks: () => [],
      warn: () => undefined,
    });
    const config = { name: 'c', 'connector.class': 'ListSink', topics: 'a,c', 'tasks.max': '2' };
    const { tasks } = (await registry.taskConfigs(config, SPLITTING, divider)) as { readonly tasks: readonly TaskConfig[] };
    const owners = queues.map((queue) =>
      tasks.findIndex((task, index) => ownsQueue(queue, subscriptionOf(parseSinkSettings(task), task, index).share)),
    );
    expect([...owners].sort()).toEqual([0, 1]);
  });

  it('waits for a connector that looks at the other system', async () => {
    const looking: SourceConnector = {
      ...source,
      name: 'Looking',
      aliases: [],
      taskConfigs: () => Promise.resolve([{ lists: 'found' }]),
    };
    const config = { name: 'c', 'connector.class': 'Looking', names: 'a' };
    await expect(new PluginRegistry([looking]).taskConfigs(config, SPLITTING)).resolves.toEqual({
      tasks: [{ name: 'c', 'connector.class': 'Looking', lists: 'found' }],
    });
    const failing = { ...looking, taskConfigs: () => Promise.reject(new Error('cannot look')) };
    await expect(new PluginRegistry([failing]).taskConfigs(config, SPLITTING)).resolves.toEqual({ error: 'cannot look' });
    const away = { ...looking, taskConfigs: () => Promise.reject(new RetriableError('nobody at sesame')) };
    const secret = { ...config, pin: 'sesame' };
    const unavailable = { retriable: true, message: 'nobody at [hidden]' };
    await expect(new PluginRegistry([away]).taskConfigs(secret, SPLITTING)).rejects.toMatchObject(unavailable);
  });

  it('may be asked again where the settings cannot be checked now; what is wrong with them is final', async () => {
    const pinned = { ...good, pin: 'hunter2' };
    const of = (validate: SourceConnector['validate']): ReturnType<PluginRegistry['taskConfigs']> =>
      new PluginRegistry([{ ...source, ...(validate === undefined ? {} : { validate }) }]).taskConfigs(pinned, SPLITTING);
    const away = ({ pin }: TaskConfig): never => {
      throw new RetriableError(`no answer to ${pin ?? ''}`);
    };
    await expect(of(away)).rejects.toMatchObject({ retriable: true, message: 'no answer to [hidden]' });
    await expect(of(() => Promise.resolve([{ field: 'last', message: 'no such table' }]))).resolves.toEqual({
      error: 'Connector configuration is invalid and contains the following 1 error(s):\nno such table',
    });
    await expect(of(() => Promise.reject(new Error('broken')))).resolves.toEqual({ error: expect.stringContaining('Error: broken') });
  });

  it.each<readonly [string, TaskConfig, string]>([
    ['more tasks than allowed', { ...good, lists: 'many' }, 'The connector c has generated 2 tasks, which is greater than 1,'],
    ['no task', { ...good, lists: 'none' }, 'The connector c has generated no task.'],
    ['an error of the connector', { ...good, lists: 'bad', pin: 'hunter2' }, 'Cannot split with [hidden]'],
    [
      'a wrong configuration',
      { ...good, 'tasks.max': 'x' },
      'contains the following 1 error(s):\nInvalid value x for configuration tasks.max',
    ],
    ['an unknown class', { name: 'c', 'connector.class': 'Nope' }, 'which name matches Nope'],
    ['no class', { name: 'c' }, 'which name matches ,'],
  ])('answers %s as an error', async (_, config, message) => {
    await expect(split(config)).resolves.toEqual({ error: expect.stringContaining(message) });
  });
});
