import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { replicateCommand } from './replicate-command.js';
import { replicateArguments } from './replicate-options.js';

const ENDS = ['--from', 'rocketmq://a:9876', '--to', 'rocketmq://b:9876'];
const KEYS = { SLUICE_FROM_ACCESS_KEY: 'me', SLUICE_FROM_SECRET_KEY: 'hunter2' };

type Answer = readonly [status: number, body: unknown];

/** What the gateway answers, by request; the last one stays. */
let answers: Record<string, Answer[]>;
let requests: { readonly name: string; readonly body: unknown }[];
let lines: string[];
let server: Server;
let gateway: string;

beforeEach(async () => {
  [answers, requests, lines] = [{}, [], []];
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.once('end', () => {
      const name = `${request.method} ${request.url}`;
      requests.push({ name, body: text === '' ? undefined : (JSON.parse(text) as unknown) });
      const known = answers[name] ?? [[404, { message: 'unknown' }]];
      const [status, body] = (known.length > 1 ? known.shift() : known[0]) ?? [500, {}];
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const method of ['log', 'error'] as const) jest.spyOn(console, method).mockImplementation((line: string) => void lines.push(line));
});
afterEach(async () => {
  jest.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const run = (...words: string[]): Promise<number> =>
  replicateCommand([...ENDS, '--topics', 'orders', '--name', 'flow', '--gateway', gateway, ...words], KEYS);
const status = (state: string, tasks: readonly string[], trace?: string): Answer => [
  200,
  { connector: { state: 'RUNNING' }, tasks: tasks.map((each, id) => ({ id, state: each, ...(each === 'FAILED' ? { trace } : {}) })) },
];
const FLOW = {
  'connector.class': 'RocketMQSourceConnector',
  'source.cluster.url': 'rocketmq://a:9876',
  'source.cluster.access.key': 'me',
  'source.cluster.secret.key': 'hunter2',
  'data.cluster.url': 'rocketmq://b:9876',
  topics: 'orders',
};
const CONFIG = 'GET /connectors/flow/config';
const STATUS = 'GET /connectors/flow/status';
const HIDDEN = { ...FLOW, name: 'flow', 'source.cluster.secret.key': '********' };

describe('sluice replicate', () => {
  it('creates the connector, waits until its tasks run, and says how to look at it', async () => {
    answers['POST /connectors'] = [[201, {}]];
    answers[STATUS] = [
      [404, {}],
      status('RUNNING', []),
      status('RUNNING', ['UNASSIGNED', 'RUNNING']),
      status('RUNNING', ['RUNNING', 'RUNNING']),
    ];
    expect(await run()).toBe(0);
    expect(requests.find(({ name }) => name === 'POST /connectors')?.body).toEqual({ name: 'flow', config: FLOW });
    expect(requests.filter(({ name }) => name === STATUS)).toHaveLength(4);
    expect(lines).toEqual([
      'flow: created',
      'flow: RUNNING, 2 of 2 tasks run',
      `State:   curl ${gateway}/connectors/flow/status`,
      'Compare: sluice verify --from rocketmq://a:9876 --to rocketmq://b:9876 --topics orders --connector flow',
    ]);
  });

  it('copies back too with --two-way', async () => {
    answers['POST /connectors'] = [[201, {}]];
    answers[STATUS] = answers['GET /connectors/flow-back/status'] = [status('RUNNING', ['RUNNING'])];
    expect(await run('--two-way', '--tasks-max', '2', '--set', 'topic.creation.enable=false')).toBe(0);
    const more = { topics: 'orders', 'tasks.max': '2', 'topic.creation.enable': 'false' };
    expect(requests.filter(({ name }) => name === 'POST /connectors').map(({ body }) => body)).toEqual([
      { name: 'flow', config: { ...FLOW, ...more } },
      {
        name: 'flow-back',
        config: {
          'connector.class': 'RocketMQSourceConnector',
          'source.cluster.url': 'rocketmq://b:9876',
          'data.cluster.url': 'rocketmq://a:9876',
          'data.cluster.access.key': 'me',
          'data.cluster.secret.key': 'hunter2',
          ...more,
        },
      },
    ]);
  });

  it('changes nothing where the flow is there with the same settings', async () => {
    answers[CONFIG] = [[200, HIDDEN]];
    answers[STATUS] = [status('RUNNING', ['RUNNING'])];
    expect(await run()).toBe(0);
    expect(requests.map(({ name }) => name)).toEqual([CONFIG, STATUS]);
    expect(lines[0]).toBe('flow: is there with the same settings');
  });

  it('refuses to replace other settings, names them, and does so with --update', async () => {
    answers[CONFIG] = [[200, { ...HIDDEN, topics: 'bills', 'tasks.max': '4' }]];
    answers['PUT /connectors/flow/config'] = [[200, {}]];
    answers[STATUS] = [status('RUNNING', ['RUNNING'])];
    await expect(run()).rejects.toThrow(
      'connector flow is there with other settings: tasks.max, topics. --update replaces them; --name takes another',
    );
    expect(requests).toHaveLength(1);
    expect(await run('--update')).toBe(0);
    expect(requests.find(({ name }) => name.startsWith('PUT'))?.body).toEqual(FLOW);
    expect(lines[0]).toBe('flow: updated');
  });

  it('creates neither direction where the other one is there with other settings', async () => {
    answers['GET /connectors/flow-back/config'] = [[200, { ...FLOW, name: 'flow-back' }]];
    await expect(run('--two-way')).rejects.toThrow('connector flow-back is there with other settings');
    expect(requests.some(({ name }) => name.startsWith('POST'))).toBe(false);
  });

  it('ends with 1 and the reason where a task fails, and where it takes too long', async () => {
    answers[CONFIG] = [[200, HIDDEN]];
    answers[STATUS] = [status('RUNNING', ['RUNNING', 'FAILED'], 'no such topic\u001b[2J')];
    expect(await run()).toBe(1);
    expect(lines.slice(1, 3)).toEqual(['flow: RUNNING, 1 of 2 tasks run', '  task 1 FAILED: no such topic\\u001b[2J']);
    answers[STATUS] = [status('RUNNING', [])];
    expect(await run('--wait', '0')).toBe(1);
  });

  it('passes on what the gateway refuses, and shows no secret', async () => {
    answers['POST /connectors'] = [[400, { message: 'topics is wrong' }]];
    await expect(run()).rejects.toThrow('the gateway answered 400: topics is wrong');
    expect(lines.join()).not.toContain('hunter2');
  });
});

describe('the options of sluice replicate', () => {
  it.each([
    [[], '--topics or --topics-regex is missing'],
    [['--topics', 'a', '--set', 'x'], '--set is "x"; allowed is KEY=VALUE'],
    [['--topics', 'a', '--set', 'topics=b'], 'topics is given twice'],
    [['--topics', 'a', '--set', 'data.cluster.url=x'], '--set has data.cluster.url, which --from, --to and their options say'],
    [['--topics', 'a', '--wait', 'x'], '--wait is "x"; allowed are whole seconds from 0 to 99999'],
    [['--topics', 'a', '--name', ''], '--name is empty'],
    [['--topics', 'a', '--topic-renam', 'x'], 'Did you mean --topic-rename?'],
    [['--topics', 'a', '--gateway', 'http://u:hunter2@g'], '--gateway is no address of a gateway'],
  ])('%j are refused by name', (words, message) => {
    const read = (): unknown => replicateArguments([...ENDS, ...words], {}, () => undefined);
    expect(read).toThrow(message);
    expect(read).not.toThrow('hunter2');
  });
});
