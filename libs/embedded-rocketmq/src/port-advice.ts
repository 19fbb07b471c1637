import { clustersDir } from './cluster-layout.js';
import { clusterWithProcess } from './cluster-status.js';
import type { PortTakenError } from './ports.js';

const WITH_OPTIONS = 'with --namesrv-port, --broker-port and --grpc-port';

/** Returns the command that stops a cluster. Sets `SLUICE_HOME` where the environment does. */
export function stopCommand(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return commandFor('stop', name, env);
}

/** Returns the command that starts a cluster, or what has ended of it. Sets `SLUICE_HOME` where the environment does. */
export function startCommand(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return commandFor('start', name, env);
}

/** Returns what an operator can do about taken ports. Names the embedded clusters of this state directory that hold them. */
export async function portTakenAdvice(error: PortTakenError, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const found = await Promise.all(error.holders.map((pid) => clusterWithProcess(clustersDir(env), pid)));
  const names = [...new Set(found.filter((name) => name !== undefined))];
  if (names.length === 0) return `Choose others ${WITH_OPTIONS}`;
  const lines = names.map(
    (name) =>
      `The embedded RocketMQ '${name}' of this state directory holds them. ` +
      `\`${startCommand(name, env)}\` starts what has ended of it, \`${stopCommand(name, env)}\` stops it`,
  );
  return [...lines, `For a second RocketMQ beside it, choose others ${WITH_OPTIONS}`].join('\n');
}

function commandFor(action: 'start' | 'stop', name: string, env: NodeJS.ProcessEnv): string {
  const home = env['SLUICE_HOME'] ?? '';
  return `${home === '' ? '' : `SLUICE_HOME=${shellWord(home)} `}npm run rocketmq -- ${action} --name ${name}`;
}

/** Quotes a text that a shell would not take for one word. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
