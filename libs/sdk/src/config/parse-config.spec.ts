import { describe, expect, it } from '@jest/globals';
import { ConfigError, requireConfig } from '../errors/config-error.js';
import type { ConfigOf, ConfigSpec } from './config-fields.js';
import { parseConfig } from './parse-config.js';

const spec = {
  topic: { type: 'string', importance: 'high', doc: 'Where records go.', aliases: ['connect.topicname'] },
  'tasks.max': { type: 'int', importance: 'high', doc: 'Most tasks.', default: 1, min: 1, max: 100 },
  tolerance: { type: 'string', importance: 'low', doc: 'What errors do.', default: 'none', oneOf: ['none', 'all'] },
  password: { type: 'password', importance: 'low', doc: 'The password.', optional: true },
  token: { type: 'int', importance: 'low', doc: 'A secret number.', optional: true, secret: true },
  topics: { type: 'list', importance: 'low', doc: 'What is read.', default: [], separators: ',;' },
  ratio: { type: 'double', importance: 'low', doc: 'A part.', optional: true },
  offset: { type: 'long', importance: 'low', doc: 'A place.', optional: true },
  enabled: { type: 'boolean', importance: 'low', doc: 'A switch.', default: false },
  'connector.class': { type: 'class', importance: 'high', doc: 'The class.', default: 'FileStreamSource' },
} as const satisfies ConfigSpec;

type Config = ConfigOf<typeof spec>;
const messages = (raw: Record<string, string | null>): readonly string[] => {
  const parsed = parseConfig(spec, { topic: 't', ...raw });
  return parsed.ok ? [] : parsed.errors.map((error) => error.message);
};

describe('ConfigOf', () => {
  it('follows the spec', () => {
    const tolerance: Config['tolerance'] = 'all';
    // @ts-expect-error the values of oneOf are the type
    const wrong: Config['tolerance'] = 'some';
    // @ts-expect-error an optional setting may be undefined
    const password: string = undefined as Config['password'];
    const topics: Config['topics'] = ['a'];
    expect([tolerance, wrong, password, topics]).toHaveLength(4);
  });
});

describe('parseConfig', () => {
  it('gives typed values and defaults', () => {
    expect(parseConfig(spec, { topic: 'a', 'tasks.max': ' 7 ', topics: ' a, b;c,', enabled: 'TRUE', ratio: '1e-3' })).toEqual({
      ok: true,
      warnings: [],
      value: {
        topic: 'a',
        'tasks.max': 7,
        tolerance: 'none',
        password: undefined,
        token: undefined,
        topics: ['a', 'b', 'c'],
        ratio: 0.001,
        offset: undefined,
        enabled: true,
        'connector.class': 'FileStreamSource',
      },
    });
  });

  it('reports every wrong field at once', () => {
    const parsed = parseConfig(spec, { 'tasks.max': 'abc', tolerance: 'some', enabled: 'yes', unknown: 'x' });
    expect(parsed.ok ? [] : parsed.errors).toEqual([
      { field: 'topic', message: 'Missing required configuration "topic" which has no default value.' },
      { field: 'tasks.max', message: 'Invalid value abc for configuration tasks.max: Not a number of type INT' },
      {
        field: 'tolerance',
        message: 'Invalid value some for configuration tolerance: String must be one of: none, all',
      },
      {
        field: 'enabled',
        message: 'Invalid value yes for configuration enabled: Expected value to be either true or false',
      },
      { field: 'unknown', message: 'Configuration unknown is not a known setting.' },
    ]);
  });

  it('names the limit that a number breaks', () => {
    expect(messages({ 'tasks.max': '0' })).toEqual(['Invalid value 0 for configuration tasks.max: Value must be at least 1']);
    expect(messages({ 'tasks.max': '101' })).toEqual(['Invalid value 101 for configuration tasks.max: Value must be no more than 100']);
    expect(messages({ offset: '9007199254740993' })).toEqual([
      'Invalid value 9007199254740993 for configuration offset: Value must be no more than 9007199254740991',
    ]);
  });

  it.each(['', '1.5', '0x10', '1e3', 'NaN', 'Infinity'])('does not take %p for a long', (text) => {
    expect(messages({ offset: text })).toEqual([`Invalid value ${text} for configuration offset: Not a number of type LONG`]);
  });

  it('never repeats a secret', () => {
    expect(messages({ token: 'hunter2' })).toEqual(['Invalid value [hidden] for configuration token: Not a number of type INT']);
  });

  it('takes an alias, and two names with the same value', () => {
    expect(parseConfig(spec, { 'connect.topicname': 'a' })).toMatchObject({ ok: true, value: { topic: 'a' } });
    expect(parseConfig(spec, { topic: 'a', 'connect.topicname': 'a' })).toMatchObject({
      ok: true,
      value: { topic: 'a' },
    });
  });

  it('names both names when an alias has another value', () => {
    expect(messages({ 'connect.topicname': 'other' })).toEqual([
      'Configuration topic is given twice with different values, as topic and as connect.topicname: write it once.',
    ]);
  });

  it('counts null as absent, and a name of Object.prototype as unknown', () => {
    expect(messages({ 'tasks.max': null })).toEqual([]);
    expect(messages({ toString: 'x' })).toEqual(['Configuration toString is not a known setting.']);
  });

  it('warns of unknown names if they are allowed, and suggests what was meant', () => {
    const parsed = parseConfig(spec, { topic: 'a', 'task.max': '1' }, { unknownKeys: 'warn' });
    expect(parsed).toMatchObject({
      ok: true,
      warnings: [{ field: 'task.max', message: 'Configuration task.max is not a known setting. Did you mean tasks.max?' }],
    });
  });

  it('leaves names alone that are known elsewhere', () => {
    const options = { isKnownElsewhere: (name: string): boolean => name.startsWith('transforms.') };
    expect(parseConfig(spec, { topic: 'a', 'transforms.x.type': 'y' }, options)).toMatchObject({
      ok: true,
      warnings: [],
    });
  });
});

describe('requireConfig', () => {
  it('throws one error with every message', () => {
    const parse = (): unknown => requireConfig('Task src-0', spec, { 'tasks.max': 'x' });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(
      'Task src-0 is invalid and contains the following 2 error(s):\n' +
        'Missing required configuration "topic" which has no default value.\n' +
        'Invalid value x for configuration tasks.max: Not a number of type INT',
    );
  });
});

describe('names of topics', () => {
  const topicSpec = {
    into: { type: 'string', importance: 'high', doc: 'Target.', topic: 'write', optional: true },
    from: { type: 'list', importance: 'high', doc: 'Sources.', topic: 'read', optional: true },
  } as const satisfies ConfigSpec;
  const errorsOf = (raw: Record<string, string>): readonly string[] => {
    const parsed = parseConfig(topicSpec, raw);
    return parsed.ok ? [] : parsed.errors.map((error) => error.message);
  };

  it.each(['orders', 'x'.repeat(127), 'A-1_b%c|d', '%RETRY%group'])('may be %s', (name) => {
    expect(errorsOf({ into: name, from: name })).toEqual([]);
  });

  it.each(['db.inventory.items', 'x'.repeat(128), 'a/b', ' ', 'größe'])('may not be %j: RocketMQ has no such topic', (name) => {
    expect(errorsOf({ into: name })).toEqual([expect.stringContaining(`Invalid value ${name} for configuration into: Topic`)]);
    expect(errorsOf({ into: name })[0]).toContain("a topic's name has 1 to 127 of the characters");
  });

  it('name each topic of a list that cannot exist', () => {
    const [message] = errorsOf({ from: 'good, a.b, c.d' });
    expect(message).toMatch(/for configuration from: Topic "a\.b" cannot exist; .*; Topic "c\.d" cannot exist/);
  });

  it.each([
    ['SCHEDULE_TOPIC_XXXX', 'belongs to RocketMQ itself'],
    ['rmq_sys_SYNC_BROKER_MEMBER_a', 'belongs to RocketMQ itself'],
    ['sluice-prod-log', 'is a control topic of Sluice'],
  ])('may be %s for a reader, not for a writer', (name, reason) => {
    expect(errorsOf({ from: name })).toEqual([]);
    expect(errorsOf({ into: name })).toEqual([expect.stringContaining(reason)]);
  });
});
