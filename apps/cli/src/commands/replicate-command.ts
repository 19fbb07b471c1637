import { RocketMqClient } from '@sluice/rocketmq';
import { pause } from '@sluice/time';
import { oneLine, severalLines } from '../dead-letters/letter-text.js';
import { connectorsOf, differenceOf, FLOW_CLASS, type Settings, type WantedConnector } from '../replication/flow-settings.js';
import { planAsText, planFlow } from '../replication/topic-plan.js';
import { readCommandSettings } from './command-settings.js';
import { askGateway, GatewayError } from './gateway.js';
import { clusterSettings, type ReplicateArguments, replicateArguments } from './replicate-options.js';

type Environment = Readonly<Record<string, string | undefined>>;

interface Status {
  readonly connector: { readonly state: string; readonly trace?: string };
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[];
}

interface Validation {
  readonly configs: readonly { readonly value: { readonly name: string; readonly errors: readonly string[] } }[];
}

const POLL_MS = 500;
const SECRETS: ReadonlySet<string> = new Set(['source.cluster.secret.key', 'data.cluster.secret.key']);

/**
 * `sluice replicate`: posts the connectors of a flow to a gateway, and waits until their tasks run. It may be repeated: what is there with the same
 * settings stays. SIGINT and SIGTERM end the wait, not the flow.
 *
 * @returns the exit code: 0 where all tasks run, or a dry run finds nothing wrong; 1 otherwise
 * @throws UsageError, GatewayError, and Error where no gateway answers, or a connector is there with other settings
 */
export async function replicateCommand(args: readonly string[], environment: Environment): Promise<number> {
  const given = replicateArguments(args, environment, (text) => {
    console.error(`sluice replicate: ${text}`);
  });
  const gateway = given.gateway ?? `http://127.0.0.1:${readCommandSettings(given.config, environment).httpPort}`;
  const { name, settings, isTwoWay } = given;
  const connectors = connectorsOf({ name, from: clusterSettings(given.from), to: clusterSettings(given.to), settings, isTwoWay });
  if (given.isDryRun) return dryRun(given, gateway, connectors);
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort(new Error('stopped by a signal'));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    // Before anything is changed: a flow of which one direction is refused should not run in the other.
    const plans = await Promise.all(connectors.map((connector) => planPut(gateway, connector, given.isUpdate)));
    for (const [index, connector] of connectors.entries()) await put(gateway, connector, plans[index] ?? 'keep');
    const areRunning = await untilRunning(gateway, connectors, given.waitMs, stopping.signal);
    printNextSteps(given, gateway, connectors);
    return areRunning ? 0 : 1;
  } finally {
    process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  }
}

type Put = 'create' | 'update' | 'keep';

/** Decides what is to be done about a connector. @throws Error where it is there with other settings, which are not to be replaced */
async function planPut(gateway: string, connector: WantedConnector, isUpdate: boolean): Promise<Put> {
  let present: Settings;
  try {
    present = await askGateway<Settings>(gateway, 'GET', `${pathOf(connector)}/config`);
  } catch (error) {
    if (error instanceof GatewayError && error.status === 404) return 'create';
    throw error;
  }
  const { names, hidden } = differenceOf(present, connector);
  if (isUpdate && (names.length > 0 || hidden.length > 0)) return 'update';
  if (names.length === 0) return 'keep';
  throw new Error(
    `connector ${connector.name} is there with other settings: ${names.join(', ')}. --update replaces them; --name takes another`,
  );
}

async function put(gateway: string, connector: WantedConnector, plan: Put): Promise<void> {
  switch (plan) {
    case 'create':
      await askGateway(gateway, 'POST', '/connectors', connector);
      break;
    case 'update':
      await askGateway(gateway, 'PUT', `${pathOf(connector)}/config`, connector.config);
      break;
    case 'keep':
  }
  const did = { create: 'created', update: 'updated', keep: 'is there with the same settings' }[plan];
  console.log(oneLine(`${connector.name}: ${did}`));
}

/** Waits until every connector has tasks and all of them run; prints the state of each at the end. */
async function untilRunning(
  gateway: string,
  connectors: readonly WantedConnector[],
  waitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const endsAt = performance.now() + waitMs;
  for (;;) {
    const states = await Promise.all(connectors.map((connector) => statusOf(gateway, connector)));
    const isDone = states.every((status) => isRunning(status) || hasFailed(status));
    if (isDone || performance.now() >= endsAt || signal.aborted) {
      for (const [index, { name }] of connectors.entries()) for (const line of describe(name, states[index])) console.log(line);
      return states.every(isRunning);
    }
    await pause(POLL_MS, signal);
  }
}

async function statusOf(gateway: string, connector: WantedConnector): Promise<Status | undefined> {
  try {
    return await askGateway<Status>(gateway, 'GET', `${pathOf(connector)}/status`);
  } catch (error) {
    // Not every gateway has heard of it yet.
    if (error instanceof GatewayError && error.status === 404) return undefined;
    throw error;
  }
}

function isRunning(status: Status | undefined): boolean {
  return status?.connector.state === 'RUNNING' && status.tasks.length > 0 && status.tasks.every(({ state }) => state === 'RUNNING');
}

function hasFailed(status: Status | undefined): boolean {
  return status !== undefined && (status.connector.state === 'FAILED' || status.tasks.some(({ state }) => state === 'FAILED'));
}

function describe(name: string, status: Status | undefined): readonly string[] {
  if (status === undefined) return [oneLine(`${name}: the gateway does not know it yet`)];
  const { connector, tasks } = status;
  const running = tasks.filter(({ state }) => state === 'RUNNING').length;
  const lines = [oneLine(`${name}: ${connector.state}, ${running} of ${tasks.length} tasks run`)];
  if (connector.trace !== undefined) lines.push(severalLines(`  ${connector.trace}`));
  for (const { id, state, trace } of tasks)
    if (state !== 'RUNNING') lines.push(severalLines(`  task ${id} ${state}${trace === undefined ? '' : `: ${trace}`}`));
  return lines;
}

/** Shows the plan of topics and the settings, and has a runner look at the settings. */
async function dryRun({ from, to }: ReplicateArguments, gateway: string, connectors: readonly WantedConnector[]): Promise<number> {
  const clients = [RocketMqClient.open(from.client), RocketMqClient.open(to.client)] as const;
  let wrong = 0;
  try {
    for (const [index, { name, config }] of connectors.entries()) {
      const [source, target] = index === 0 ? clients : ([clients[1], clients[0]] as const);
      console.log(oneLine(`Connector ${name} would copy from ${config['source.cluster.url']} to ${config['data.cluster.url']}`));
      for (const line of planAsText(await planFlow(source, target, config))) console.log(`  ${line}`);
      console.log('  Settings:');
      for (const [key, value] of Object.entries(config)) console.log(oneLine(`    ${key}=${SECRETS.has(key) ? '********' : value}`));
      const path = `/connector-plugins/${FLOW_CLASS}/config/validate`;
      const { configs } = await askGateway<Validation>(gateway, 'PUT', path, { name, ...config });
      const errors = configs.flatMap(({ value }) => value.errors);
      for (const error of errors) console.log(severalLines(`  WRONG: ${error}`));
      wrong += errors.length;
    }
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
  console.log(wrong === 0 ? 'Nothing was changed.' : `Nothing was changed. Wrong settings: ${wrong}`);
  return wrong === 0 ? 0 : 1;
}

function printNextSteps({ from, to, settings }: ReplicateArguments, gateway: string, connectors: readonly WantedConnector[]): void {
  for (const connector of connectors) console.log(oneLine(`State:   curl ${gateway}${pathOf(connector)}/status`));
  const topics = settings['topics'] === undefined ? `--topics-regex '${settings['topics.regex'] ?? ''}'` : `--topics ${settings['topics']}`;
  console.log(oneLine(`Compare: sluice verify --from ${from.url} --to ${to.url} ${topics} --connector ${connectors[0]?.name ?? ''}`));
}

function pathOf({ name }: WantedConnector): string {
  return `/connectors/${encodeURIComponent(name)}`;
}
