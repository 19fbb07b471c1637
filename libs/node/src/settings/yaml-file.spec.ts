import { describe, expect, it } from '@jest/globals';
import { parseYamlSettings } from './yaml-file.js';

describe('parseYamlSettings', () => {
  it('takes nested names and names with dots, and keeps every value as it is written', () => {
    const text = [
      '# comment',
      'http:',
      '  port: 0o17',
      '  host: "127.0.0.1"',
      'log.level: info',
      'acl: { enable: no }',
      'persist.interval:',
      '  ms: 1_000',
      'labels: [zone=a, rack=r1]',
      'grpc:',
    ].join('\n');
    expect(parseYamlSettings(text)).toEqual([
      { name: 'http.port', text: '0o17', line: 3 },
      { name: 'http.host', text: '127.0.0.1', line: 4 },
      { name: 'log.level', text: 'info', line: 5 },
      { name: 'acl.enable', text: 'no', line: 6 },
      { name: 'persist.interval.ms', text: '1_000', line: 8 },
      { name: 'labels', text: 'zone=a,rack=r1', line: 9 },
      { name: 'grpc', text: '', line: 10 },
    ]);
  });

  it.each(['', '# nothing', '---\n'])('finds nothing in %j', (text) => {
    expect(parseYamlSettings(text)).toEqual([]);
  });

  it.each([
    ['a: 1\na: 2', 'line 2: Map keys must be unique'],
    ['a: [1', /^line 1: Flow sequence/],
    ['- a', 'line 1: settings are written as name: value'],
    ['word', 'line 1: settings are written as name: value'],
    ['a: 1\nb: { c: [[1]] }', 'line 2: b.c: a list holds plain values only'],
    ['a: &x 1\nb: *x', 'line 2: b: anchors and references to them are not read'],
    ['a: 1\n---\nb: 2', /^line \d: Source contains multiple documents/],
  ])('refuses %j', (text, message) => {
    expect(() => parseYamlSettings(text)).toThrow(message);
  });
});
