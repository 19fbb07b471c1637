import { describe, expect, it } from '@jest/globals';
import type { ValidateAnswer } from '@sluice/protocol';
import type { SinkConnector } from '@sluice/sdk';
import { parseSinkSettings } from '../config/connector-settings.js';
import { PluginRegistry } from './plugin-registry.js';

const sink: SinkConnector = {
  kind: 'sink',
  name: 'NoSink',
  aliases: [],
  version: '1.0.0',
  doc: 'Takes nothing.',
  spec: {},
  taskConfigs: (config) => [config],
  createTask: () => {
    throw new Error('not needed');
  },
};
const registry = new PluginRegistry([sink]);
const good = { name: 's', 'connector.class': 'NoSink', topics: 'orders' };

function errorsOf(validation: ValidateAnswer): readonly (readonly [string, string])[] {
  return validation.fields.flatMap(({ state }) => state.errors.map((error) => [state.name, error] as const));
}

describe('the settings of dead letters', () => {
  it('warns of a dead letter topic that gets nothing, for no record is left out', async () => {
    const settings = { ...good, 'errors.deadletterqueue.topic.name': 'dead' };
    const { errorCount, warnings } = await registry.validate('NoSink', settings);
    expect({ errorCount, warnings }).toEqual({
      errorCount: 0,
      warnings: [expect.stringContaining('errors.deadletterqueue.topic.name has no effect while errors.tolerance is none')],
    });
    expect((await registry.validate('NoSink', { ...settings, 'errors.tolerance': 'all' })).warnings).toEqual([]);
  });

  it.each([
    ['topics', 'orders,dead', 'is one of the topics that the sink reads (topics)'],
    ['topics.regex', 'de.*', 'is one of those that the sink reads, for topics.regex, de.*, matches it'],
    ['topics.regex', '(?i)DE.D', 'is one of those that the sink reads'],
  ])('refuses a dead letter topic that the sink reads itself, by %s=%s', async (name, value, reason) => {
    const config = { name: 's', 'connector.class': 'NoSink', 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dead' };
    const validation = await registry.validate('NoSink', { ...config, [name]: value });
    expect(errorsOf(validation)).toEqual([['errors.deadletterqueue.topic.name', expect.stringContaining(reason)]]);
    const other = name === 'topics' ? 'orders' : 'dea';
    expect((await registry.validate('NoSink', { ...config, [name]: other })).errorCount).toBe(0);
    expect(() => parseSinkSettings({ ...config, [name]: value })).toThrow(reason);
  });
});
