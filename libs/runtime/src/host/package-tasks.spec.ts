import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TaskConfig } from '@sluice/sdk';
import { PluginLoader } from '../plugins/plugin-loader.js';
import { PluginRegistry } from '../plugins/plugin-registry.js';
import { PackageFolder } from '../testing/package-folder.js';
import { SinkWorld } from '../testing/sink-world.js';
import { SourceWorld } from '../testing/source-world.js';
import { createTaskLoop } from './create-task-loop.js';
import type { TaskLoop } from './task-loop.js';

/** Code of a source, a converter, a transform and a predicate of one version, all of which mark what they see. */
const codeOf = (version: string): string => `
const common = { aliases: [], version: '${version}', doc: 'Marks.', spec: {} };
const createTask = () => {
  let topic;
  let isSent = false;
  return {
    start: async ({ config }) => { topic = config.topic; },
    poll: async (signal) => {
      if (isSent) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      if (signal.aborted) return [];
      isSent = true;
      const record = (value) => ({ topic, value, schema: { type: 'string' }, partition: { p: 'a' }, position: { value } });
      return [record('source ${version}'), record('left out by ${version}')];
    },
    stop: async () => {},
  };
};
export const connectors = [{ ...common, kind: 'source', name: 'Notes', spec: { topic: { type: 'string', importance: 'high', doc: 'Topic.' } }, taskConfigs: (config) => [config], createTask }];
export const converters = [{ ...common, kind: 'converter', name: 'Mark', create: () => ({ toBytes: (value) => Buffer.from(value + ', converter ${version}'), fromBytes: (bytes) => ({ value: bytes }) }) }];
export const transforms = [{ ...common, kind: 'transform', name: 'Mark', create: () => ({ apply: (record) => ({ ...record, value: record.value + ', transform ${version}' }) }) }];
export const predicates = [{ ...common, kind: 'predicate', name: 'IsLeftOut', create: () => ({ test: ({ value }) => value.startsWith('left out by ${version}') }) }];
`;

let place: PackageFolder;
beforeEach(async () => {
  place = await PackageFolder.make();
});
afterEach(() => place.remove());

describe('tasks of plugins from packages', () => {
  it('run in several versions at the same time, each of their parts in the version that its settings choose', async () => {
    const registry = new PluginRegistry();
    const loader = new PluginLoader({ kind: 'source', registry, logger: { info: () => undefined, error: () => undefined } });
    const world = new SourceWorld();
    const started: TaskLoop[] = [];
    const startTask = async (topic: string, changed: TaskConfig): Promise<void> => {
      world.cluster.addTopic(topic, 1);
      world.positions.owners = { asOf: 1, live: new Map([[0, 1]]), tasksSince: 0 };
      const config: TaskConfig = {
        ...{ name: topic, 'connector.class': 'Notes', topic, 'value.converter': 'Mark' },
        ...{
          transforms: 'drop,mark',
          'transforms.mark.type': 'Mark',
          'transforms.drop.type': 'Filter',
          'transforms.drop.predicate': 'out',
        },
        ...{ predicates: 'out', 'predicates.out.type': 'IsLeftOut', ...changed },
      };
      const validation = await registry.validate('Notes', config);
      expect(validation.fields.flatMap(({ state }) => state.errors)).toEqual([]);
      const task = { id: { connector: topic, index: 0 }, generation: 1, type: 'source', config, paused: false, committed: false } as const;
      const loop = createTaskLoop(registry.pinned(task), registry, {
        producer: () => world.cluster.producer,
        messages: world.cluster.messages,
        positions: world.positions,
        offsets: new SinkWorld().offsets,
        lease: world.lease,
        clock: world.clock,
        groupOf: () => 'g',
        loggerOf: () => world.logger,
        requestTaskReconfiguration: () => undefined,
      });
      started.push(loop);
      await loop.start();
      await world.clock.until(() => loop.counters.recordsSent > 0);
    };
    // Beside them there may be a barrier.
    const bodiesIn = (topic: string): readonly string[] =>
      world.cluster
        .queuesOf(topic)
        .flatMap((queue) => world.cluster.queue(queue).messages.map(({ body }) => String(body)))
        .filter((body) => /[a-z]/.test(body));

    for (const version of ['1.0.0', '2.0.0']) await place.package(`all/notes-${version}`, codeOf(version), { version });
    await loader.load([place.path('all')]);
    const older = {
      'connector.plugin.version': '1.0.0',
      'value.converter.plugin.version': '[1.0,2.0)',
      'transforms.mark.plugin.version': '1.0.0',
      'predicates.out.plugin.version': '1.0.0',
    };
    await startTask('old', older);
    await startTask('new', {});
    await place.package('all/notes-3.0.0', codeOf('3.0.0'), { version: '3.0.0' });
    await loader.load([place.path('all')]);
    await startTask('mixed', { ...older, 'connector.plugin.version': '[3.0,)', 'predicates.out.plugin.version': 'latest' });
    expect([bodiesIn('old'), bodiesIn('new'), bodiesIn('mixed')]).toEqual([
      ['source 1.0.0, transform 1.0.0, converter 1.0.0'],
      ['source 2.0.0, transform 2.0.0, converter 2.0.0'],
      ['source 3.0.0, transform 1.0.0, converter 1.0.0'],
    ]);
    for (const loop of started) {
      void loop.stop();
      await loop.ended;
    }
  });
});
