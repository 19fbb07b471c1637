import { describe, expect, it } from '@jest/globals';
import { type Plugin, PluginTable } from './plugin-table.js';

const plugin = (name: string, version = '1.0.0', aliases: readonly string[] = []): Plugin => ({
  kind: 'source',
  name,
  aliases,
  version,
  doc: '',
  spec: {},
});

describe('the table of plugins', () => {
  it('finds none by a last part that several have', () => {
    const table = new PluginTable('connectors', [plugin('com.a.Foo'), plugin('com.b.Foo'), plugin('com.b.Bar')]);
    expect([table.find('Foo'), table.find('Bar')?.name]).toEqual([undefined, 'com.b.Bar']);
  });

  it('keeps the meaning of its names, in versions that come later too', () => {
    const table = new PluginTable('connectors', [plugin('com.a.Foo')]).withKeptNames().with([plugin('com.b.Foo')]);
    expect([table.find('Foo')?.name, table.find('com.b.Foo')?.name]).toEqual(['com.a.Foo', 'com.b.Foo']);
    expect(table.infos().map(({ aliases }) => aliases)).toEqual([['Foo'], []]);
    expect(table.with([plugin('com.a.Foo', '1.1.0')]).find('Foo')?.version).toBe('1.1.0');
  });

  it('refuses a plugin that is called as it has found another before', () => {
    const table = new PluginTable('connectors', [plugin('com.a.Foo')]);
    const both = table.with([plugin('Foo')]);
    expect(both.find('Foo')?.name).toBe('Foo');
    const refused = 'Two connectors are called Foo: com.a.Foo (source 1.0.0) and Foo (source 1.0.0)';
    expect(() => table.withKeptNames().with([plugin('Foo')])).toThrow(refused);
    expect(() => table.withKeptNames().with([plugin('com.b.Bar', '1.0.0', ['Foo'])])).toThrow('Two connectors are called Foo');
  });
});
