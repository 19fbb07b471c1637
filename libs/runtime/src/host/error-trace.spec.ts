import { describe, expect, it } from '@jest/globals';
import type { SinkConnector } from '@sluice/sdk';
import { PluginRegistry } from '../plugins/plugin-registry.js';
import { errorTrace } from '../task/error-text.js';
import { describerOf, MAX_TRACE_LENGTH, shortenedTrace } from './error-trace.js';

describe('errorTrace', () => {
  it('shows the whole chain of causes', () => {
    const trace = errorTrace(new Error('outer', { cause: new Error('inner', { cause: 'a text' }) }));
    expect(trace).toMatch(/^Error: outer\n[^]*\nCaused by: Error: inner\n[^]*\nCaused by: a text$/);
  });

  it('ends in a circle of causes', () => {
    const error = new Error('round');
    error.cause = error;
    expect(errorTrace(error).match(/round/g)).toHaveLength(20);
  });
});

describe('shortenedTrace', () => {
  it('leaves a trace as it is that fits into a report', () => {
    expect(shortenedTrace('x'.repeat(MAX_TRACE_LENGTH))).toBe('x'.repeat(MAX_TRACE_LENGTH));
  });

  it('keeps beginning and end of one that does not', () => {
    const trace = shortenedTrace(`first ${'x'.repeat(2 * MAX_TRACE_LENGTH)} last`);
    expect(trace).toMatch(/^first x+\n\.\.\. \d+ characters are left out \.\.\.\nx+ last$/);
    expect(trace.length).toBeLessThan(MAX_TRACE_LENGTH + 100);
  });
});

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

describe('the describer of the errors of a task', () => {
  const error = new Error('login with 4711 at db', { cause: new Error('token abcdef refused for bob') });
  const config = { 'connector.class': 'Vault', pin: '4711', 'driver.token': 'abcdef', user: 'bob' };

  it('hides what is secret by definition or by name, in causes and stacks too', () => {
    const text = describerOf({ config }, new PluginRegistry([connector]))(error);
    expect(text).toMatch(/^Error: login with \S+ at db\n[^]*Caused by: Error: token \S+ refused for bob/);
    expect(text).not.toContain('4711');
    expect(text).not.toContain('abcdef');
  });

  it('goes by names where the class is unknown', () => {
    const text = describerOf({ config }, new PluginRegistry([]))(error);
    expect(text).not.toContain('abcdef');
  });

  it('stays with the versions that the task had, also when newer ones name their secrets otherwise', () => {
    const registry = new PluginRegistry([connector]);
    const describeError = describerOf({ config }, registry);
    const spec: SinkConnector['spec'] = { code: { type: 'password', importance: 'high', optional: true, doc: 'A secret.' } };
    registry.add({ connectors: [{ ...connector, version: '2.0.0', spec }], converters: [], transforms: [], predicates: [] });
    expect(describeError(error)).not.toContain('4711');
  });

  it('leaves out the text where nobody knows the secrets', () => {
    const broken = { ...connector, spec: { pin: null } } as unknown as SinkConnector;
    expect(describerOf({ config }, new PluginRegistry([broken]))(error)).toMatch(/^An error whose text is left out: .* \(TypeError\)$/);
  });

  it('shows no part of a secret where it cuts a long text', () => {
    const token = Array.from({ length: 60 }, (_, at) => `<${at}>`).join('');
    const describeError = describerOf({ config: { ...config, 'driver.token': token } }, new PluginRegistry([connector]));
    for (let before = 0; before < token.length; before += 7) {
      // All that is shown of it is short: so what stands at the cuts is shown, too.
      const text = describeError(`${'-'.repeat(before)}${`${token} `.repeat(2_000)}${'-'.repeat(before)}`);
      expect(text).toMatch(/^-*(?:\[hidden\] )+\n\.\.\. \d+ characters are left out \.\.\.\n ?(?:\[hidden\] )+-*$/);
    }
  });

  it('searches no more of a longer text', () => {
    const searched = (length: number): number => {
      let count = 0;
      const plugins = {
        secretsHider: () => (text: string) => {
          count += text.length;
          return text;
        },
      } as unknown as PluginRegistry;
      const text = describerOf({ config }, plugins)(`first ${'x'.repeat(length)} last`);
      expect(text).toMatch(/^first x{8186}\n\.\.\. \d+ characters are left out \.\.\.\nx{8187} last$/);
      return count;
    };
    expect(searched(10_000_000)).toBe(searched(100_000));
  });
});
