import { describe, expect, it } from '@jest/globals';
import type { SinkConnector } from '@sluice/sdk';
import { PluginRegistry } from '../plugins/plugin-registry.js';
import { describeTaskError } from './describe-task-error.js';

const connector: SinkConnector = {
  kind: 'sink',
  name: 'Vault',
  aliases: [],
  version: '1.0.0',
  doc: 'For this test.',
  spec: { pin: { type: 'password', importance: 'high', doc: 'A secret by its type.' } },
  taskConfigs: (config) => [config],
  createTask: () => {
    throw new Error('is not made here');
  },
};

describe('describeTaskError', () => {
  const error = new Error('login with 4711 at db', { cause: new Error('token abcdef refused for bob') });
  const config = { 'connector.class': 'Vault', pin: '4711', 'driver.token': 'abcdef', user: 'bob' };

  it('hides what is secret by definition or by name, in causes and stacks too', () => {
    const text = describeTaskError(error, config, new PluginRegistry([connector]));
    expect(text).toMatch(/^Error: login with \S+ at db\n[^]*Caused by: Error: token \S+ refused for bob/);
    expect(text).not.toContain('4711');
    expect(text).not.toContain('abcdef');
  });

  it('goes by names where the class is unknown', () => {
    const text = describeTaskError(error, config, new PluginRegistry([]));
    expect(text).not.toContain('abcdef');
  });
});
