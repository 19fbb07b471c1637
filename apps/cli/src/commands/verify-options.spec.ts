import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials, CredentialsSource } from '@sluice/rocketmq';
import { verifyArguments } from './verify-options.js';

const ENDS = ['--from', 'rocketmq://a:9876,b', '--to', 'rocketmq://c'];
const NO_SERVERS: ReadonlySet<string> = new Set();
const TOPICS = ['--topics', 'orders, bills,orders'];

describe('the options of sluice verify', () => {
  let directory: string;
  let warnings: string[] = [];
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-verify-options-'));
    writeFileSync(join(directory, 'key'), ' from file \n');
    writeFileSync(join(directory, 'empty'), '\n');
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  const read = (words: readonly string[], environment: Record<string, string> = {}): ReturnType<typeof verifyArguments> => {
    warnings = [];
    return verifyArguments(words, environment, (text) => warnings.push(text));
  };
  const keysOf = (source: CredentialsSource | undefined): Credentials => (typeof source === 'function' ? source() : source) as Credentials;

  it('have defaults that compare everything and call nothing missing that may come', () => {
    const { from, to, isJson, options } = read([...ENDS, ...TOPICS]);
    expect([from.client.namesrv, to.client.namesrv, isJson]).toEqual(['a:9876,b:9876', 'c:9876', false]);
    expect(from.client).toMatchObject({ credentials: undefined, tls: undefined, vipChannel: false });
    expect(options).toMatchObject({
      targetTopic: '${topic}',
      connector: undefined,
      stateFile: undefined,
      ratePerSecond: Infinity,
      parallel: 4,
      isComplete: false,
      isFromFirstCopy: false,
    });
    expect(options.queueMap.size).toBe(0);
    expect(options.chooseTopics(['bills', 'orders', 'other'], NO_SERVERS)).toEqual(['bills', 'orders']);
    expect(() => options.chooseTopics(['orders'], NO_SERVERS)).toThrow('The source has no topic bills');
  });

  it('are read', () => {
    const words = [
      '--topics-regex',
      '.*o.*s',
      '--target-topic',
      'a-${topic}',
      '--queue-map',
      'o@b:1=a-o@c:2',
      '--rate',
      '50',
      '--parallel',
      '2',
    ];
    const { isJson, options } = read([
      ...ENDS,
      ...words,
      '--complete',
      '--from-first-copy',
      '--json',
      '--state',
      'x',
      '--connector',
      'flow',
    ]);
    expect(isJson).toBe(true);
    expect(options).toMatchObject({ targetTopic: 'a-${topic}', stateFile: 'x', connector: 'flow', ratePerSecond: 50, parallel: 2 });
    expect(options).toMatchObject({ isComplete: true, isFromFirstCopy: true, queueMap: new Map([['o@b:1', 'a-o@c:2']]) });
    expect(options.chooseTopics(['others', 'orders', 'order', '%RETRY%os', 'sluice-os', 'os'], new Set(['os']))).toEqual([
      'orders',
      'others',
    ]);
    expect(() => options.chooseTopics(['x'], NO_SERVERS)).toThrow('--topics-regex .*o.*s matches no topic of the source');
  });

  it('take keys from the environment and from files, which are read again, and warn of those in the command line', () => {
    const file = join(directory, 'key');
    const fromEnvironment = read([...ENDS, ...TOPICS], { SLUICE_FROM_ACCESS_KEY: 'u', SLUICE_FROM_SECRET_KEY_FILE: file });
    expect(keysOf(fromEnvironment.from.client.credentials)).toEqual({ accessKey: 'u', secretKey: 'from file' });
    expect([fromEnvironment.to.client.credentials, warnings]).toEqual([undefined, []]);
    writeFileSync(file, 'renewed');
    expect(keysOf(fromEnvironment.from.client.credentials).secretKey).toBe('renewed');
    const given = read([...ENDS, ...TOPICS, '--to-access-key', 'u', '--to-secret-key', 'hunter2']);
    expect(keysOf(given.to.client.credentials)).toEqual({ accessKey: 'u', secretKey: 'hunter2' });
    expect(warnings).toHaveLength(2);
    expect(warnings.join()).not.toContain('hunter2');
  });

  it('take TLS with and without authorities of their own', () => {
    const { from, to } = read([...ENDS, ...TOPICS, '--from-tls', '--to-tls-ca', join(directory, 'key'), '--to-vip']);
    expect(from.client.tls).toEqual({ ca: undefined, cert: undefined, key: undefined });
    expect(to.client).toMatchObject({ tls: { ca: expect.any(String) }, vipChannel: true });
  });

  it.each([
    [[], '--from is missing: give rocketmq://HOST:PORT'],
    [['--from', 'rocketmq://a'], '--to is missing'],
    [
      ['--from', 'rocketmq://me:hunter2@a', '--to', 'rocketmq://c'],
      '--from has a user or a password: URLs take none, give SLUICE_FROM_ACCESS_KEY',
    ],
    [['--from', 'rocketmq+grpc://a', '--to', 'rocketmq://c'], '--from is "rocketmq+grpc://a", a Proxy; allowed are name servers'],
    [['--from', 'a:9876', '--to', 'rocketmq://c'], '--from: '],
    [ENDS, '--topics or --topics-regex is missing'],
    [[...ENDS, ...TOPICS, '--topics-regex', 'x'], '--topics and --topics-regex are both given'],
    [[...ENDS, '--topics-regex', '('], '--topics-regex is "(": '],
    [[...ENDS, '--topics', 'a b'], '--topics has "a b": '],
    [[...ENDS, ...TOPICS, '--target-topic', '${topik}'], '--target-topic is "${topik}": '],
    [[...ENDS, ...TOPICS, '--queue-map', 'a=b'], '--queue-map has "a=b"; allowed is TOPIC@BROKER:QUEUE=TOPIC@BROKER:QUEUE'],
    [[...ENDS, ...TOPICS, '--queue-map', 'a@b:1=a@b:1,a@b:1=a@b:2'], '--queue-map names a@b:1 twice'],
    [[...ENDS, ...TOPICS, '--queue-map', 'a@b:1=a@b:1,a@b:2=a@b:1'], '--queue-map has two queues for a@b:1'],
    [[...ENDS, ...TOPICS, '--rate', '0'], '--rate is "0"; allowed are whole numbers from 1'],
    [[...ENDS, ...TOPICS, '--parallel', '65'], '--parallel is "65"; allowed are whole numbers from 1 to 64'],
    [[...ENDS, ...TOPICS, '--state', ''], '--state is empty'],
    [[...ENDS, ...TOPICS, '--from-access-key', 'u'], 'The secret key of --from is missing'],
    [
      [...ENDS, ...TOPICS, '--from-access-key', 'u', '--from-access-key-file', 'f'],
      '--from-access-key and --from-access-key-file are both given',
    ],
    [[...ENDS, ...TOPICS, '--from-access-key', 'u', '--from-secret-key-file', '/none'], '--from-secret-key-file: ENOENT'],
    [[...ENDS, ...TOPICS, '--from-tls-cert', 'f'], '--from-tls-key is missing beside --from-tls-cert'],
    [[...ENDS, ...TOPICS, '--topic', 'x'], 'Did you mean --topics?'],
  ])('%j are refused by name', (words, message) => {
    expect(() => read(words)).toThrow(message);
    expect(() => read(words)).not.toThrow('hunter2');
  });

  it('refuse an empty file of keys', () => {
    const words = [...ENDS, ...TOPICS, '--from-access-key', 'u', '--from-secret-key-file', join(directory, 'empty')];
    expect(() => read(words)).toThrow('empty is empty');
  });
});
