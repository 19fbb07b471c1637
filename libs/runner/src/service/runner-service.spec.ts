import { describe, expect, it } from '@jest/globals';
import { resolve } from 'node:path';
import { nodeSettingsOf, readSettings } from '@sluice/node';
import { PluginRegistry } from '@sluice/runtime';
import type { ConverterPlugin } from '@sluice/sdk';
import { checkConverters } from './runner-service.js';

const read = (text: string): (() => unknown) => {
  return () => readSettings({ environment: {}, file: 'connect.conf', readText: () => text });
};

describe('the settings of a runner', () => {
  it('name a converter that there is not, and those that there are, also those of packages', () => {
    const plugins = new PluginRegistry();
    const allowed = 'Available converters are: StringConverter, ByteArrayConverter, JsonConverter';
    const check = (): void => {
      checkConverters({ key: 'Upper', value: 'StringConverter' }, plugins);
    };
    expect(check).toThrow(`Invalid value Upper for configuration key.converter: ${allowed}`);
    const upper: ConverterPlugin = {
      ...{ kind: 'converter', name: 'Upper', aliases: [], version: '1.0.0', doc: 'Upper.', spec: {} },
      create: () => {
        throw new Error('not needed');
      },
    };
    plugins.add({ connectors: [], converters: [upper], transforms: [], predicates: [] });
    expect(check).not.toThrow();
  });

  it('make the folders of plugins absolute', () => {
    const settings = nodeSettingsOf('source-runner', readSettings({ environment: { SLUICE_PLUGIN_PATH: '/opt/a, plugins/b' } }), () => '');
    expect(settings.pluginPath).toEqual(['/opt/a', resolve('plugins/b')]);
  });

  it('are refused by name where they set no number of threads, or too little memory for one', () => {
    expect(read('task.threads=0')).toThrow('connect.conf:1: Invalid value 0 for configuration task.threads: Value must be at least 1');
    expect(read('task.threads=many')).toThrow('connect.conf:1: Invalid value many for configuration task.threads');
    expect(read('task.thread.memory.mb=1')).toThrow(
      'connect.conf:1: Invalid value 1 for configuration task.thread.memory.mb: Value must be at least 32',
    );
  });
});
