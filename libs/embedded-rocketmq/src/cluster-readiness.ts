import { join } from 'node:path';
import { type ClusterLayout, nodeLayout } from './cluster-layout.js';
import {
  addressOf,
  type BrokerNode,
  brokersOf,
  type PlannedNode,
  type ClusterPlan,
  LOOPBACK,
  type NameServerNode,
  nameServersOf,
} from './cluster-plan.js';
import type { ClusterJvms } from './cluster-processes.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { describeExit } from './jvm-process.js';
import { lastLines } from './log-tail.js';
import { pollUntil } from './poll-until.js';
import { accepts, ASK_TIMEOUT_MS, askBrokers, askSyncState } from './remoting-probe.js';

const PROBE_EVERY_MS = 50;
const SHOWN_LINES = 15;

export interface ReadinessInput {
  readonly plan: ClusterPlan;
  readonly layout: ClusterLayout;
  /** The nodes that are to answer; others of the plan are taken for stopped. */
  readonly nodes: readonly PlannedNode[];
  readonly processes: ClusterJvms;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds what keeps these nodes from being usable now. Undefined when each name server knows each broker, the brokers' ports accept, and,
 * with a controller, all brokers are in sync.
 */
export async function missingForUse(nodes: readonly PlannedNode[]): Promise<string | undefined> {
  const brokers = brokersOf(nodes);
  for (const nameServer of nameServersOf(nodes)) {
    const missing = await missingInNameServer(nameServer, brokers);
    if (missing !== undefined) return missing;
  }
  for (const { id, ports } of brokers) {
    if (!(await isOpen(ports.listen))) return `the ${id} does not accept on port ${ports.listen}`;
    if (ports.grpc !== undefined && !(await isOpen(ports.grpc))) return `the gRPC proxy does not accept on port ${ports.grpc}`;
  }
  const controllerPort = nameServersOf(nodes).find(({ hasController }) => hasController)?.ports.controller;
  return controllerPort === undefined ? undefined : missingInController(controllerPort, brokers);
}

async function missingInNameServer({ id, ports }: NameServerNode, brokers: readonly BrokerNode[]): Promise<string | undefined> {
  const known = await askBrokers({ host: LOOPBACK, port: ports.listen }, ASK_TIMEOUT_MS);
  if (known === undefined) return `the ${id} does not answer on port ${ports.listen}`;
  const missing = brokers.find((broker) => {
    const addresses = [...(known.get(broker.brokerName)?.values() ?? [])];
    return !addresses.includes(addressOf(broker));
  });
  return missing && `the ${id} has no registration of ${missing.brokerName} at ${addressOf(missing)}`;
}

async function missingInController(port: number, brokers: readonly BrokerNode[]): Promise<string | undefined> {
  for (const broker of brokers) {
    const state = await askSyncState({ host: LOOPBACK, port }, broker.brokerName, ASK_TIMEOUT_MS);
    if (state === undefined) return `the controller does not answer on port ${port}`;
    if (state.masterAddress === undefined) return `the controller has no master of ${broker.brokerName}`;
    if (!state.inSyncAddresses.includes(addressOf(broker)))
      return `the ${broker.id} is not in sync with the master of ${broker.brokerName}`;
  }
  return undefined;
}

function isOpen(port: number): Promise<boolean> {
  return accepts({ host: LOOPBACK, port }, ASK_TIMEOUT_MS);
}

/**
 * Resolves when all name servers answer, and the controller where there is one. A broker that finds no name server registers again only
 * after 10 s, and asks a controller again after 5 s. Throws as `waitUntilUsable`.
 */
export async function waitForNameServers(input: ReadinessInput): Promise<void> {
  const nameServers = nameServersOf(input.nodes);
  const controllerPort = nameServers.find(({ hasController }) => hasController)?.ports.controller;
  await waitUntil(input, async () => {
    for (const nameServer of nameServers) {
      const missing = await missingInNameServer(nameServer, []);
      if (missing !== undefined) return missing;
    }
    if (controllerPort === undefined) return undefined;
    const state = await askSyncState({ host: LOOPBACK, port: controllerPort }, 'any', ASK_TIMEOUT_MS);
    return state === undefined ? `the controller does not answer on port ${controllerPort}` : undefined;
  });
}

/**
 * Resolves when the nodes are usable.
 * Throws EmbeddedRocketmqError `JVM_DIED` or `NOT_UP_IN_TIME`, both with the last log lines; rejects with the signal's reason.
 */
export async function waitUntilUsable(input: ReadinessInput): Promise<void> {
  await waitUntil(input, () => missingForUse(input.nodes));
}

async function waitUntil(input: ReadinessInput, findMissing: () => Promise<string | undefined>): Promise<void> {
  let missing = 'nothing was asked yet';
  const isUp = await pollUntil(
    async () => {
      await checkAlive(input);
      const answer = await findMissing();
      if (answer === undefined) return true;
      missing = answer;
      return undefined;
    },
    { everyMs: PROBE_EVERY_MS, timeoutMs: input.timeoutMs, signal: input.signal },
  );
  if (isUp === true) return;
  const logs = (await Promise.all(input.nodes.map((node) => logExcerpt(input.layout, node)))).join('\n');
  throw new EmbeddedRocketmqError(
    'NOT_UP_IN_TIME',
    `cluster ${input.plan.name} is not up after ${input.timeoutMs} ms: ${missing}\n${logs}`,
    { retriable: true },
  );
}

async function checkAlive({ plan, layout, nodes, processes }: ReadinessInput): Promise<void> {
  for (const node of nodes) {
    const jvm = processes.get(node.id);
    const exit = jvm === undefined ? undefined : describeExit(jvm);
    if (exit === undefined) continue;
    throw new EmbeddedRocketmqError(
      'JVM_DIED',
      `the ${node.id} of cluster ${plan.name} ended at its start (${exit})\n${await logExcerpt(layout, node)}`,
    );
  }
}

/** Returns what the JVM printed last, and the last lines of its own logs where it printed nothing that explains its end. */
async function logExcerpt(cluster: ClusterLayout, node: PlannedNode): Promise<string> {
  const { outFile, rocketmqLogDir } = nodeLayout(cluster, node);
  const own = node.kind === 'broker' && node.hasProxy ? ['broker.log', 'proxy.log'] : [`${node.kind}.log`];
  const excerpts: string[] = [];
  for (const file of [outFile, ...own.map((name) => join(rocketmqLogDir, name))]) {
    const lines = await lastLines(file, SHOWN_LINES);
    excerpts.push(
      lines.length === 0 ? `${file} is empty or missing` : `last lines of ${file}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
    );
  }
  return excerpts.join('\n');
}
