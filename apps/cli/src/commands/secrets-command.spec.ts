import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { gatewayAddress } from './gateway.js';
import { secretsArguments, secretsCommand, type SecretsCommandOptions } from './secrets-command.js';

const orders = { connector: 'orders', settings: { k1: ['password', 'url'] }, tasks: { k1: 2 }, plain: [], missing: [], state: 'RUNNING' };
const tasksOf = (connector: string, state = 'RUNNING'): typeof orders => ({
  ...orders,
  connector,
  settings: {} as never,
  tasks: { k1: 1 },
  state,
});
const current = { key: 'k2', older: {}, connectors: [] };

/** What the gateway answers, by request; the last one stays. */
let answers: Record<string, (readonly [status: number, body: unknown])[]>;
let requests: string[];
let lines: string[];
let server: Server;
let gateway: string;

beforeEach(async () => {
  answers = {};
  requests = [];
  lines = [];
  server = createServer((request, response) => {
    const name = `${request.method} ${request.url}`;
    requests.push(name);
    const known = answers[name] ?? [[404, { message: 'unknown' }]];
    const [status, body] = (known.length > 1 ? known.shift() : known[0]) ?? [500, {}];
    response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gateway = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function run(options: Partial<SecretsCommandOptions> = {}): Promise<boolean> {
  const print = (line: string): void => void lines.push(line);
  return secretsCommand({ action: 'rotate', gateway, isDryRun: false, connectors: [], waitMs: 5000, print, ...options });
}

const STATUS = 'GET /admin/secrets';
const NAMES = 'GET /connectors';
const rotation = (name: string): string => `POST /admin/secrets/connectors/${name}/rotate?key=k2`;

describe('sluice secrets', () => {
  it('rotates one connector after the other, waits for their tasks, and says what is left', async () => {
    const before = { key: 'k2', older: { k1: 2 }, connectors: [{ ...orders, connector: 'a/b' }, orders] };
    answers[STATUS] = [
      [200, before],
      [200, { key: 'k2', older: { k1: 1 }, connectors: [tasksOf('orders')] }],
      [200, current],
    ];
    answers[rotation('a%2Fb')] = [[200, { connector: 'a/b', result: 'rotated', settings: ['password', 'url'] }]];
    answers[rotation('orders')] = [[200, { connector: 'orders', result: 'waiting', settings: [] }]];
    expect(await run()).toBe(true);
    expect(requests).toEqual([STATUS, rotation('a%2Fb'), rotation('orders'), STATUS, STATUS]);
    expect(lines).toEqual([
      'a/b: encrypted with k2: password, url',
      'orders: its tasks do not have their new settings yet',
      'No connector needs another key than k2.',
    ]);
  });

  it('changes nothing in a dry run, and of the connectors that were not named', async () => {
    const other = { ...orders, connector: 'other', plain: ['token'], missing: ['k1'] } as unknown as typeof orders;
    answers[STATUS] = [[200, { key: 'k2', older: { k1: 2 }, connectors: [orders, other] }]];
    answers[NAMES] = [[200, ['orders', 'other', 'third']]];
    expect(await run({ isDryRun: true, connectors: ['other', 'third'] })).toBe(true);
    expect(requests).toEqual([STATUS, NAMES]);
    expect(lines).toEqual([
      'third: nothing to do',
      'other: would be encrypted with k2: password, url with k1; 2 tasks with k1; token not encrypted; the gateway does not have k1',
    ]);
    answers[rotation('orders')] = [[200, { connector: 'orders', result: 'rotated', settings: ['url'] }]];
    answers[STATUS] = [
      [200, { key: 'k2', older: { k1: 2 }, connectors: [orders, other] }],
      [200, { key: 'k2', older: { k1: 1 }, connectors: [other] }],
    ];
    expect(await run({ connectors: ['orders'] })).toBe(true);
    expect(requests.slice(2)).toEqual([STATUS, rotation('orders'), STATUS]);
  });

  it.each([false, true])('does nothing where a connector does not exist (dry run: %s)', async (isDryRun) => {
    answers[STATUS] = [[200, { key: 'k2', older: { k1: 1 }, connectors: [orders] }]];
    answers[NAMES] = [[200, ['current', 'orders']]];
    await expect(run({ isDryRun, connectors: ['orders', 'orderz', 'current'] })).rejects.toThrow(
      'there is no connector orderz. Did you mean orders? Nothing was done',
    );
    expect(requests).toEqual([STATUS, NAMES]);
    expect(lines).toEqual([]);
  });

  it('ends well for a connector that needs nothing, while others do', async () => {
    answers[STATUS] = [[200, { key: 'k2', older: { k1: 1 }, connectors: [orders] }]];
    answers[NAMES] = [[200, ['current', 'orders']]];
    expect(await run({ connectors: ['current'] })).toBe(true);
    expect(lines[0]).toBe('current: nothing to do');
    expect(requests).not.toContain(rotation('current'));
  });

  it('shows a terminal nothing to act on', async () => {
    const settings = { k1: ['transforms.a\u001b[2J.password'] } as never;
    answers[STATUS] = [[200, { key: 'k2', older: { k1: 1 }, connectors: [{ ...orders, settings, tasks: {} }] }]];
    expect(await run({ action: 'status' })).toBe(true);
    expect(lines[0]).toBe('orders: transforms.a\\u001b[2J.password with k1');
  });

  it('continues behind a connector that fails, and says at its end that an older key is needed', async () => {
    const status = { key: 'k2', older: { k1: 2 }, connectors: [{ ...orders, connector: 'bad' }, orders] };
    answers[STATUS] = [
      [200, status],
      [200, { ...status, older: { k1: 1 }, connectors: [{ ...orders, connector: 'bad' }] }],
    ];
    answers[rotation('bad')] = [[409, { error_code: 409, message: 'Connector bad needs the key k0' }]];
    answers[rotation('orders')] = [[200, { connector: 'orders', result: 'rotated', settings: [] }]];
    expect(await run()).toBe(false);
    expect(lines).toEqual([
      'bad: FAILED: the gateway answered 409: Connector bad needs the key k0',
      'orders: encrypted with k2, its tasks',
      'bad: password, url with k1; 2 tasks with k1',
      'Older keys that are needed beside k2: k1 (1 connector).',
    ]);
  });

  it('does not wait for a connector that is stopped, nor longer than it may', async () => {
    const stopped = { key: 'k2', older: { k1: 1 }, connectors: [tasksOf('orders', 'STOPPED')] };
    answers[STATUS] = [[200, stopped]];
    answers[rotation('orders')] = [[200, { connector: 'orders', result: 'waiting', settings: [] }]];
    expect(await run()).toBe(false);
    expect(requests).toHaveLength(3);
    expect(lines.at(-2)).toBe('orders: 1 task with k1; the connector is STOPPED: its tasks change once it is resumed');
    answers[STATUS] = [[200, { ...stopped, connectors: [tasksOf('orders')] }]];
    expect(await run({ waitMs: 0 })).toBe(false);
    expect(requests).toHaveLength(6);
  });

  it('shows the status', async () => {
    answers[STATUS] = [[200, { key: 'k2', older: { k1: 3, k0: 1 }, connectors: [{ ...orders, plain: ['token'] }] }]];
    expect(await run({ action: 'status' })).toBe(true);
    expect(lines).toEqual([
      'orders: password, url with k1; 2 tasks with k1; token not encrypted',
      'Older keys that are needed beside k2: k1 (3 connectors), k0 (1 connector).',
      'Connectors with secrets that are not encrypted: 1.',
    ]);
  });

  it('says who does not answer', async () => {
    answers[STATUS] = [[200, '<html>']];
    await expect(run()).rejects.toThrow(`what answers at ${gateway} is no gateway: its answer is not JSON`);
    answers[STATUS] = [[409, { message: 'This gateway has no keys: set secrets.key.file' }]];
    await expect(run()).rejects.toThrow('the gateway answered 409: This gateway has no keys');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await expect(run()).rejects.toThrow(`the gateway at http://127.0.0.1:${port} does not answer: `);
  });

  it('takes an address without login alone, and does not repeat another one', () => {
    expect(gatewayAddress('http://gateway:8083/')).toBe('http://gateway:8083');
    expect(gatewayAddress('https://gateway/sluice/?x#y')).toBe('https://gateway/sluice');
    for (const given of ['http://u:hunter2@gateway', 'http://hunter2@gateway', 'gateway:8083', 'hunter2', 'ftp://gateway']) {
      expect(() => gatewayAddress(given)).toThrow('--gateway is no address of a gateway');
      expect(() => gatewayAddress(given)).not.toThrow('hunter2');
    }
  });
});

describe('the options of sluice secrets', () => {
  it('are read', () => {
    const none = { config: undefined, gateway: undefined, isDryRun: false, connectors: [] };
    expect(secretsArguments(['status'])).toEqual({ ...none, action: 'status', waitMs: 0 });
    expect(secretsArguments(['rotate'])).toEqual({ ...none, action: 'rotate', waitMs: 60_000 });
    const words = ['rotate', '-c', 'x.conf', '--gateway', 'http://g', '--connector', 'a', '--connector', 'b', '--dry-run', '--wait', '0'];
    expect(secretsArguments(words)).toEqual({
      action: 'rotate',
      config: 'x.conf',
      gateway: 'http://g',
      isDryRun: true,
      connectors: ['a', 'b'],
      waitMs: 0,
    });
  });

  it.each([
    [[], 'The name of a command is missing; there are status and rotate'],
    [['rotat'], 'There is no command "secrets rotat"; there are status and rotate'],
    [['rotate', '--wait', '1.5'], '--wait is "1.5"; allowed are whole seconds from 0 to 99999'],
    [['rotate', '--conector', 'a'], '--conector is not an option of `sluice secrets rotate`. Did you mean --connector?'],
    [['status', '--connector', 'a'], '--connector is not an option of `sluice secrets status`. Allowed are --config, --gateway'],
    [['status', '--dry-run'], '--dry-run is not an option of `sluice secrets status`'],
    [['status', '--wait', '1'], '--wait is not an option of `sluice secrets status`'],
  ])('%j are refused by name', (words, message) => {
    expect(() => secretsArguments(words)).toThrow(message);
  });
});
