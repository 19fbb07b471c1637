import { ProcessLogger, planRestore, readNodeCopy, restoreCluster, RestoreError, type RestorePlan } from '@sluice/node';
import { queueKey } from '@sluice/sdk';
import { withClient, type CommandSettings } from './command-settings.js';

interface RestoreCommandOptions {
  readonly clusterId: string;
  readonly brokerName: string | undefined;
  /** Directories of nodes, `<store path>/<node id>`. */
  readonly from: readonly string[];
  /** Without it only the plan is shown. */
  readonly isConfirmed: boolean;
}

/** `sluice restore`. */
export async function restoreCommand(
  { clusterId, brokerName, from, isConfirmed }: RestoreCommandOptions,
  { runtimeCluster, sinkCluster }: Pick<CommandSettings, 'runtimeCluster' | 'sinkCluster'>,
): Promise<void> {
  if (from.length === 0) throw new RestoreError('--from is missing: give the directory of a node, <store path>/<node id>');
  const copies = await Promise.all(from.map((directory) => readNodeCopy(directory)));
  const broker = brokerName === undefined ? {} : { brokerName };
  await withClient(runtimeCluster, (client) =>
    withClient(sinkCluster, async (sinkClient) => {
      const plan = await planRestore(client, { clusterId, copies, sinkClient, ...broker });
      console.log(describePlan(plan));
      if (!isConfirmed) {
        console.log('Nothing was written. Stop all nodes of this Connect cluster and add --yes to write it.');
        return;
      }
      const { head } = await restoreCluster(client, plan, new ProcessLogger('warn').scoped('restore'), sinkClient);
      console.log(`Restored: the log continues with entry ${head.seq + 1}. Start the nodes.`);
    }),
  );
}

const MAX_QUEUES_NAMED = 5;

/** What a restore writes, for people. */
export function describePlan(plan: RestorePlan): string {
  const { clusterId, brokerName, missingTopics, log, positions, offsets, offsetsWithoutQueue } = plan;
  const { state, directory, writtenAt } = log;
  const partitions = positions.reduce((sum, connector) => sum + connector.partitions.length, 0);
  const lines = [
    `Connect cluster ${clusterId} on broker ${brokerName}:`,
    `  topics to create: ${missingTopics.join(', ') || 'none'}`,
    `  log: entry ${state.head.seq} of epoch ${state.epoch}, from ${directory}, written ${writtenAt.toISOString()}`,
    `  connectors: ${[...state.connectors.keys()].sort().join(', ') || 'none'} (${state.tasks.size} tasks)`,
    `  positions: ${partitions} source partitions of ${positions.length} connectors`,
    `  offsets of sinks that the broker has lost: ${offsets.length}`,
  ];
  if (offsetsWithoutQueue.length > 0) {
    const named = offsetsWithoutQueue.slice(0, MAX_QUEUES_NAMED).map(({ queue, nextOffset }) => `${queueKey(queue)}: ${nextOffset}`);
    const more = offsetsWithoutQueue.length > MAX_QUEUES_NAMED ? ', ...' : '';
    lines.push(
      `  offsets of sinks that are NOT restored, because their queue is not there or ends before them: ` +
        `${offsetsWithoutQueue.length} (${named.join(', ')}${more})`,
    );
  }
  const withPositions = new Set(positions.map(({ connector }) => connector));
  const committed = [...state.tasks.values()].filter(({ type, committed: has }) => type === 'source' && has);
  const without = new Set(committed.map(({ id }) => id.connector).filter((name) => !withPositions.has(name)));
  if (without.size > 0) {
    lines.push(
      `  WITHOUT positions, though they have stored some: ${[...without].sort().join(', ')}. Add --from with the directory of a runner that had them`,
    );
  }
  return lines.join('\n');
}
