import { setTimeout as pause } from 'node:timers/promises';
import { nearestName } from '@sluice/sdk';
import { oneLine } from '../dead-letters/letter-text.js';
import { askGateway } from './gateway.js';
import { parseOptions, UsageError } from './parse-options.js';

const POLL_MS = 1000;

/** What a gateway answers to `GET /admin/secrets`. */
interface SecretsStatus {
  readonly key: string;
  readonly older: Readonly<Record<string, number>>;
  readonly connectors: readonly ConnectorSecrets[];
}

interface ConnectorSecrets {
  readonly connector: string;
  readonly settings: Readonly<Record<string, readonly string[]>>;
  readonly tasks: Readonly<Record<string, number>>;
  readonly plain: readonly string[];
  readonly missing: readonly string[];
  readonly state: string;
}

interface Rotation {
  readonly connector: string;
  readonly result: 'rotated' | 'current' | 'waiting';
  readonly settings: readonly string[];
}

export interface SecretsCommandOptions {
  readonly action: 'status' | 'rotate';
  /** Where a gateway is, such as `http://127.0.0.1:8083`. */
  readonly gateway: string;
  /** Shows what would be done. */
  readonly isDryRun: boolean;
  /** Only these; all without any. */
  readonly connectors: readonly string[];
  /** How long to wait until the tasks have their new settings, in milliseconds. */
  readonly waitMs: number;
  readonly print: (line: string) => void;
}

/** What the words of the command say. */
export interface SecretsArguments extends Omit<SecretsCommandOptions, 'gateway' | 'print'> {
  readonly config: string | undefined;
  /** `undefined`: not said. */
  readonly gateway: string | undefined;
}

const COMMON = { config: { type: 'string', short: 'c' }, gateway: { type: 'string' } } as const;

/** Reads the words behind `sluice secrets`. @throws UsageError */
export function secretsArguments([action = '', ...args]: readonly string[]): SecretsArguments {
  if (action === 'status') {
    const { config, gateway } = parseOptions('sluice secrets status', args, COMMON);
    return { action, config, gateway, isDryRun: false, connectors: [], waitMs: 0 };
  }
  if (action === 'rotate') {
    const {
      config,
      gateway,
      connector: connectors,
      'dry-run': isDryRun,
      wait,
    } = parseOptions('sluice secrets rotate', args, {
      ...COMMON,
      connector: { type: 'string', multiple: true, default: [] },
      'dry-run': { type: 'boolean', default: false },
      wait: { type: 'string', default: '60' },
    });
    if (!/^\d{1,5}$/.test(wait)) throw new UsageError(`--wait is "${wait}"; allowed are whole seconds from 0 to 99999`);
    return { action, config, gateway, isDryRun, connectors, waitMs: Number(wait) * 1000 };
  }
  throw new UsageError(
    `${action === '' ? 'The name of a command is missing' : `There is no command "secrets ${action}"`}; there are status and rotate`,
  );
}

/**
 * `sluice secrets`: shows which connectors need an older key of `secrets.key.file`, and has them encrypted with the first one. The gateway does it,
 * connector by connector: no key and no secret leaves it.
 *
 * @returns whether the older keys are needed no more; of a dry run and of `status`, whether the gateway has answered
 * @throws Error where no gateway answers, and before anything is done where one of the connectors does not exist
 */
export async function secretsCommand(options: SecretsCommandOptions): Promise<boolean> {
  const { action, isDryRun, connectors: wanted } = options;
  const print = (line: string): void => {
    options.print(oneLine(line));
  };
  const before = await askGateway<SecretsStatus>(options.gateway, 'GET', '/admin/secrets');
  if (action === 'status') {
    for (const line of describeStatus(before)) print(line);
    return true;
  }
  const concerned = before.connectors.filter(({ connector }) => wanted.length === 0 || wanted.includes(connector));
  const others = wanted.filter((name) => !concerned.some(({ connector }) => connector === name));
  if (others.length > 0) await haveToExist(options, others);
  for (const name of others) print(`${name}: nothing to do`);
  if (isDryRun) {
    for (const each of concerned) print(`${each.connector}: would be encrypted with ${before.key}: ${describeNeeds(each)}`);
    if (concerned.length === 0 && wanted.length === 0) print(`Nothing to do: no connector needs another key than ${before.key}.`);
    return true;
  }
  let failed = 0;
  for (const { connector } of concerned) {
    try {
      const path = `/admin/secrets/connectors/${encodeURIComponent(connector)}/rotate?key=${encodeURIComponent(before.key)}`;
      print(describeRotation(await askGateway<Rotation>(options.gateway, 'POST', path), before.key));
    } catch (error) {
      failed += 1;
      print(`${connector}: FAILED: ${(error as Error).message}`);
    }
  }
  const names = new Set(concerned.map(({ connector }) => connector));
  const after = await untilCurrent(options, names, failed > 0 ? 0 : options.waitMs);
  for (const line of describeStatus(after)) print(line);
  const isLeft = after.connectors.some(({ connector }) => wanted.length === 0 || wanted.includes(connector));
  return failed === 0 && !isLeft;
}

/** Throws for a connector that does not exist: whoever reads that nothing is to be done removes the older key. */
async function haveToExist(options: SecretsCommandOptions, names: readonly string[]): Promise<void> {
  const known = await askGateway<readonly string[]>(options.gateway, 'GET', '/connectors');
  const missing = names.filter((name) => !known.includes(name));
  const [first] = missing;
  if (first === undefined) return;
  const nearest = missing.length === 1 ? nearestName(first, known) : undefined;
  throw new Error(
    `there is no connector ${missing.join(', ')}.${nearest === undefined ? '' : ` Did you mean ${nearest}?`} Nothing was done`,
  );
}

/** Waits until the tasks of these connectors have their new settings. */
async function untilCurrent(options: SecretsCommandOptions, names: ReadonlySet<string>, waitMs: number): Promise<SecretsStatus> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    const status = await askGateway<SecretsStatus>(options.gateway, 'GET', '/admin/secrets');
    // Tasks of a stopped connector stay as they are, however long anybody waits.
    const isWaiting = status.connectors.some(({ connector, state }) => names.has(connector) && state !== 'STOPPED');
    if (!isWaiting || performance.now() >= endMs) return status;
    await pause(POLL_MS);
  }
}

function describeRotation({ connector, result, settings }: Rotation, key: string): string {
  switch (result) {
    case 'rotated':
      return `${connector}: encrypted with ${key}${settings.length === 0 ? ', its tasks' : `: ${settings.join(', ')}`}`;
    case 'waiting':
      return `${connector}: its tasks do not have their new settings yet`;
    case 'current':
      return `${connector}: nothing to do`;
  }
}

/** Describes what is left for an operator. */
export function describeStatus({ key, older, connectors }: SecretsStatus): readonly string[] {
  const keys = Object.entries(older).map(([id, count]) => `${id} (${count} ${count === 1 ? 'connector' : 'connectors'})`);
  const plain = connectors.filter((each) => each.plain.length > 0).length;
  return [
    ...connectors.map((each) => `${each.connector}: ${describeNeeds(each)}`),
    keys.length === 0 ? `No connector needs another key than ${key}.` : `Older keys that are needed beside ${key}: ${keys.join(', ')}.`,
    ...(plain === 0 ? [] : [`Connectors with secrets that are not encrypted: ${plain}.`]),
  ];
}

function describeNeeds({ settings, tasks, plain, missing, state }: ConnectorSecrets): string {
  const parts = Object.entries(settings).map(([id, names]) => `${names.join(', ')} with ${id}`);
  for (const [id, count] of Object.entries(tasks)) parts.push(`${count} ${count === 1 ? 'task' : 'tasks'} with ${id}`);
  if (plain.length > 0) parts.push(`${plain.join(', ')} not encrypted`);
  if (missing.length > 0) parts.push(`the gateway does not have ${missing.join(', ')}`);
  if (state === 'STOPPED' && Object.keys(tasks).length > 0) parts.push('the connector is STOPPED: its tasks change once it is resumed');
  return parts.join('; ');
}
