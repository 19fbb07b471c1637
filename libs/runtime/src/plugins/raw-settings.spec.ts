import { describe, expect, it } from '@jest/globals';
import type { ConfigSpec, SinkConnector, SourceConnector } from '@sluice/sdk';
import { createTaskLoop, type TaskEnvironment } from '../host/create-task-loop.js';
import { FakePositions } from '../testing/fake-stores.js';
import { SinkWorld } from '../testing/sink-world.js';
import { SourceWorld } from '../testing/source-world.js';
import { SPLITTING } from '../testing/split-context.js';
import { PluginRegistry } from './plugin-registry.js';
import { pluginsOf } from './plugin-exports.js';

const spec: ConfigSpec = {
  predicates: { type: 'string', importance: 'low', optional: true, doc: 'Its own, under a name of the runtime.' },
};
const common = {
  aliases: [],
  version: '1.0.0',
  doc: 'For this test.',
  taskConfigs: (config: Readonly<Record<string, string>>) => [config],
  createTask: () => {
    throw new Error('not needed');
  },
};
const source = { ...common, kind: 'source', name: 'RawSource', spec: {}, records: 'raw' } satisfies SourceConnector;
const sink = { ...common, kind: 'sink', name: 'RawSink', spec: {}, records: 'raw' } satisfies SinkConnector;
const own = { ...source, name: 'OwnSource', spec } satisfies SourceConnector;
const plain = { ...source, name: 'PlainSource', records: undefined } as unknown as SourceConnector;
/** The runner of some site prefers other converters. */
const registry = new PluginRegistry([source, sink, own, plain], { preferred: { value: 'ByteArrayConverter' } });
const good = { RawSource: {}, RawSink: { topics: 't' }, OwnSource: {}, PlainSource: {} } as const;

const WITHOUT_EFFECT = {
  'key.converter': 'StringConverter',
  'value.converter': 'JsonConverter',
  'value.converter.schemas.enable': 'false',
  'header.converter': 'StringConverter',
  transforms: 'a',
  'transforms.a.type': 'DropNull',
  predicates: 'p',
  'predicates.p.type': 'RecordIsTombstone',
  'queue.by': 'partition',
  'queue.by.header': 'tenant',
};

const configOf = (className: keyof typeof good, settings: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
  name: 'c',
  'connector.class': className,
  ...good[className],
  ...settings,
});

async function errorsOf(
  className: keyof typeof good,
  settings: Readonly<Record<string, string>>,
): Promise<Record<string, readonly string[]>> {
  const { fields, errorCount } = await registry.validate(className, configOf(className, settings));
  const wrong = fields.filter(({ state }) => state.errors.length > 0).map(({ state }) => [state.name, state.errors] as const);
  expect(wrong.flatMap(([, errors]) => errors)).toHaveLength(errorCount);
  return Object.fromEntries(wrong);
}

const refused = (className: string, names: readonly string[]): Record<string, readonly string[]> =>
  Object.fromEntries(
    names.map((name) => [
      name,
      [`Configuration ${name} has no effect: the records of ${className} are raw, messages that pass as they are. Leave it out.`],
    ]),
  );

describe('the settings of a connector of raw records', () => {
  it.each(['RawSource', 'RawSink'] as const)(
    'are right without converters and transforms, and refused by name with them: %s',
    async (name) => {
      expect(await errorsOf(name, {})).toEqual({});
      expect((await registry.validate(name, configOf(name))).warnings).toEqual([]);
      expect(await errorsOf(name, WITHOUT_EFFECT)).toEqual(refused(name, Object.keys(WITHOUT_EFFECT)));
      const { warnings, fields } = await registry.validate(name, configOf(name, WITHOUT_EFFECT));
      expect(warnings).toEqual([]);
      // Nothing says which of them are secret.
      expect(fields.find(({ state }) => state.name === 'value.converter.schemas.enable')?.state.value).toBe('[hidden]');
    },
  );

  it('are refused the same when the connector is split, and when a task is made', async () => {
    const [[name, value] = ['', '']] = Object.entries(WITHOUT_EFFECT);
    const [message] = refused('RawSource', [name])[name]!;
    expect(await registry.taskConfigs(configOf('RawSource', { [name]: value }), SPLITTING)).toEqual({
      error: expect.stringContaining(message!),
    });
    expect(await registry.taskConfigs(configOf('RawSource'), SPLITTING)).toEqual({ tasks: [configOf('RawSource')] });
    expect(await registry.taskConfigs(configOf('PlainSource', { [name]: value }), SPLITTING)).toHaveProperty('tasks');
    for (const className of ['RawSource', 'RawSink'] as const) {
      const made = (settings: Readonly<Record<string, string>>): unknown => createTask(className, settings);
      expect(() => made({ [name]: value })).toThrow(`Configuration ${name} has no effect: the records of ${className} are raw`);
      expect(() => made({})).toThrow('not needed');
    }
  });

  it.each(['RawSource', 'RawSink'] as const)('are described without those that have no effect: %s', (className) => {
    const names = registry.definitions(className).fields.map(({ name }) => name);
    expect(names.filter((name) => Object.hasOwn(WITHOUT_EFFECT, name))).toEqual([]);
    for (const name of ['errors.tolerance', 'errors.deadletterqueue.topic.name', 'rate.limit.records.per.second', 'tasks.max']) {
      expect(names).toContain(name);
    }
    const described = new Set(registry.definitions('PlainSource').fields.map(({ name }) => name));
    expect(['key.converter', 'queue.by', 'transforms'].every((name) => described.has(name))).toBe(true);
  });

  it('say what they mean for raw records where that is something else', () => {
    const docOf = (className: string): string | undefined =>
      registry.definitions(className).fields.find(({ name }) => name === 'queue.unavailable.timeout.ms')?.documentation;
    expect(docOf('RawSource')).toContain('Records wait for their queue without end');
    expect(docOf('PlainSource')).toContain('the partition moves to another queue');
  });

  it('may be its own under such a name', async () => {
    expect(await errorsOf('OwnSource', { predicates: 'x' })).toEqual({});
    expect(await errorsOf('OwnSource', { 'predicates.x.type': 'Any' })).toEqual(refused('OwnSource', ['predicates.x.type']));
  });

  it('come with a word that the runtime knows', () => {
    const broken = { ...source, records: 'rwa' };
    expect(() => pluginsOf('m', { connectors: [broken] })).toThrow('m: connectors[0].records is "rwa"; it must be "raw", or left out');
    expect(pluginsOf('m', { connectors: [source, plain] }).connectors).toHaveLength(2);
  });
});

function createTask(className: keyof typeof good, settings: Readonly<Record<string, string>>): unknown {
  const world = new SourceWorld();
  const environment: TaskEnvironment = {
    producer: () => world.cluster.producer,
    messages: world.cluster.messages,
    positions: new FakePositions(),
    offsets: new SinkWorld().offsets,
    lease: world.lease,
    clock: world.clock,
    groupOf: () => 'g',
    loggerOf: () => world.logger,
    requestTaskReconfiguration: () => undefined,
  };
  const config = { ...configOf(className, settings), 'sluice.task.count': '1' };
  const type = className === 'RawSink' ? 'sink' : 'source';
  return createTaskLoop(
    { id: { connector: 'c', index: 0 }, generation: 1, type, config, paused: false, committed: false },
    registry,
    environment,
  );
}
