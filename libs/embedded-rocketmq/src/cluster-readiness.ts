import { type ClusterLayout } from './cluster-layout.js';
import { brokerNameOf } from './cluster-config.js';
import { EmbeddedRocketmqError } from './embedded-rocketmq-error.js';
import { CLUSTER_ROLES, type ClusterRole } from './jvm-command.js';
import { describeExit, type JvmProcess } from './jvm-process.js';
import { lastLines } from './log-tail.js';
import { pollUntil } from './poll-until.js';
import { type ClusterPorts } from './ports.js';
import { accepts, askClusterInfo, isRegistered } from './remoting-probe.js';

const PROBE_TIMEOUT_MS = 2_000;
const PROBE_EVERY_MS = 50;
const SHOWN_LINES = 15;

export interface ReadinessInput {
  readonly name: string;
  readonly ports: ClusterPorts;
  readonly layout: ClusterLayout;
  readonly processes: Readonly<Partial<Record<ClusterRole, JvmProcess>>>;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What keeps a cluster from being usable now; undefined when the namesrv knows the broker and all of its ports accept. */
export async function missingForUse(name: string, ports: ClusterPorts): Promise<string | undefined> {
  const host = '127.0.0.1';
  const clusterInfo = await askClusterInfo({ host, port: ports.namesrv }, PROBE_TIMEOUT_MS);
  if (clusterInfo === undefined) return `the namesrv does not answer on port ${ports.namesrv}`;
  if (!isRegistered(clusterInfo, brokerNameOf(name), `${host}:${ports.broker}`)) {
    return `the namesrv has no registration of ${brokerNameOf(name)} at ${host}:${ports.broker}`;
  }
  if (!(await accepts({ host, port: ports.broker }, PROBE_TIMEOUT_MS)))
    return `the broker does not accept on port ${ports.broker}`;
  if (!(await accepts({ host, port: ports.grpc }, PROBE_TIMEOUT_MS)))
    return `the gRPC proxy does not accept on port ${ports.grpc}`;
  return undefined;
}

/**
 * Resolves when the cluster is usable.
 * Throws EmbeddedRocketmqError `JVM_DIED` or `NOT_UP_IN_TIME`, both with the last log lines; rejects with the signal's reason.
 */
export async function waitUntilUsable(input: ReadinessInput): Promise<void> {
  let missing = 'nothing was asked yet';
  const isUp = await pollUntil(
    async () => {
      await checkAlive(input);
      const answer = await missingForUse(input.name, input.ports);
      if (answer === undefined) return true;
      missing = answer;
      return undefined;
    },
    { everyMs: PROBE_EVERY_MS, timeoutMs: input.timeoutMs, signal: input.signal },
  );
  if (isUp === true) return;
  const logs = (await Promise.all(CLUSTER_ROLES.map((role) => logExcerpt(input.layout, role)))).join('\n');
  throw new EmbeddedRocketmqError(
    'NOT_UP_IN_TIME',
    `cluster ${input.name} is not up after ${input.timeoutMs} ms: ${missing}\n${logs}`,
    { retriable: true },
  );
}

async function checkAlive({ name, layout, processes }: ReadinessInput): Promise<void> {
  for (const role of CLUSTER_ROLES) {
    const jvm = processes[role];
    const exit = jvm === undefined ? undefined : describeExit(jvm);
    if (exit === undefined) continue;
    throw new EmbeddedRocketmqError(
      'JVM_DIED',
      `the ${role} of cluster ${name} ended at its start (${exit})\n${await logExcerpt(layout, role)}`,
    );
  }
}

/** What the JVM printed last, and the last lines of its own logs where it printed nothing that explains its end. */
async function logExcerpt(layout: ClusterLayout, role: ClusterRole): Promise<string> {
  const files =
    role === 'namesrv'
      ? [layout.namesrvOut, `${layout.rocketmqLogDir}/namesrv.log`]
      : [layout.brokerOut, `${layout.rocketmqLogDir}/broker.log`, `${layout.rocketmqLogDir}/proxy.log`];
  const excerpts: string[] = [];
  for (const file of files) {
    const lines = await lastLines(file, SHOWN_LINES);
    excerpts.push(
      lines.length === 0
        ? `${file} is empty or missing`
        : `last lines of ${file}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
    );
  }
  return excerpts.join('\n');
}
