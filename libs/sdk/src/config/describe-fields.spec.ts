import { describe, expect, it } from '@jest/globals';
import type { ConfigSpec } from './config-fields.js';
import { describeSpec, validateConfig } from './describe-fields.js';
import { toMarkdown } from './markdown.js';

const spec = {
  file: {
    type: 'string',
    importance: 'high',
    doc: 'The file.',
    aliases: ['filename'],
    example: '/var/log/a.log',
    group: 'File',
  },
  'batch.size': {
    type: 'int',
    importance: 'low',
    doc: 'Most | lines.',
    default: 2000,
    min: 1,
    group: 'File',
    width: 'short',
  },
  password: { type: 'password', importance: 'medium', doc: 'Secret.', default: 'hunter2', displayName: 'Password' },
  mode: { type: 'string', importance: 'low', doc: 'How.', default: 'a', oneOf: ['a', 'b'], dependents: ['file'] },
} as const satisfies ConfigSpec;

describe('describeSpec', () => {
  it('gives what Kafka Connect answers for a plugin', () => {
    expect(describeSpec(spec)).toEqual([
      {
        name: 'file',
        type: 'STRING',
        required: true,
        defaultValue: null,
        importance: 'HIGH',
        documentation: 'The file.',
        group: 'File',
        orderInGroup: 1,
        width: 'NONE',
        displayName: 'file',
        dependents: [],
        recommendedValues: [],
        aliases: ['filename'],
        secret: false,
      },
      expect.objectContaining({
        name: 'batch.size',
        defaultValue: '2000',
        orderInGroup: 2,
        width: 'SHORT',
        required: false,
      }),
      expect.objectContaining({
        name: 'password',
        type: 'PASSWORD',
        defaultValue: '[hidden]',
        group: null,
        orderInGroup: -1,
      }),
      expect.objectContaining({ name: 'mode', recommendedValues: ['a', 'b'], dependents: ['file'] }),
    ]);
  });
});

describe('validateConfig', () => {
  it('counts errors and shows every value but secrets', () => {
    const validation = validateConfig(spec, { 'batch.size': 'x', password: 'abc' });
    expect(validation.errorCount).toBe(2);
    expect(validation.groups).toEqual(['File']);
    expect(validation.fields.map(({ state }) => [state.name, state.value, state.errors])).toEqual([
      ['file', null, ['Missing required configuration "file" which has no default value.']],
      ['batch.size', 'x', ['Invalid value x for configuration batch.size: Not a number of type INT']],
      ['password', '[hidden]', []],
      ['mode', 'a', []],
    ]);
  });
});

describe('toMarkdown', () => {
  it('is one row for each setting', () => {
    expect(toMarkdown(spec).split('\n')).toEqual([
      '| Setting | Type | Default | Importance | Description |',
      '| --- | --- | --- | --- | --- |',
      '| `file` (also `filename`) | string | **required** | high | The file. Example: `/var/log/a.log`. |',
      '| `batch.size` | int, at least 1 | `2000` | low | Most \\| lines. |',
      '| `password` | password | `[hidden]` | medium | Secret. |',
      '| `mode` | one of `a`, `b` | `a` | low | How. |',
    ]);
  });
});
