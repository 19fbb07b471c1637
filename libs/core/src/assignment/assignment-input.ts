import type { ClusterState } from '../model/cluster-state.js';
import { connectorClass, TargetState, type ConnectorState } from '../model/connector.js';
import { Role, type Labels } from '../model/member.js';
import type { AssignableTask, AssignmentInput, PreviousAssignment, Worker } from './assignment-plan.js';
import { placementOf } from './placement.js';

type AssignedState = Pick<ClusterState, 'connectors' | 'tasks' | 'members'>;

/**
 * What there is to assign in a cluster. Tasks of stopped connectors, surplus tasks, and tasks of an older config that
 * nobody holds are left out; so are free tasks of a connector while owners from before its present task configs are
 * stopping: a source partition or a queue that another task gets has one owner at any time. `workers` are those that can be given tasks now; by default all runners.
 */
export function assignmentInput(
  cluster: AssignedState,
  workers: readonly Worker[] = runners(cluster),
): AssignmentInput {
  const tasks: AssignableTask[] = [];
  const previous = new Map<string, PreviousAssignment>();
  const waiting = withOlderOwners(cluster);
  const needs = new Map<ConnectorState, { readonly connectorClass: string; readonly placement: Labels }>();
  for (const [key, { id, type, assignment, lastNodeId }] of cluster.tasks) {
    const connector = cluster.connectors.get(id.connector);
    if (connector === undefined || connector.targetState === TargetState.stopped) continue;
    const isHeld = assignment !== undefined && assignment.revokedAt === undefined;
    if (!isHeld && connector.tasksVersion !== connector.configVersion) continue;
    if (assignment === undefined && waiting.has(id.connector)) continue;
    if (id.index >= (connector.taskCount ?? 0)) continue;
    let need = needs.get(connector);
    if (need === undefined) {
      need = { connectorClass: connectorClass(connector.config), placement: placementOf(connector.config) };
      needs.set(connector, need);
    }
    tasks.push({ key, id, type, ...need, ...(lastNodeId === undefined ? {} : { lastNodeId }) });
    if (assignment === undefined) continue;
    previous.set(key, { nodeId: assignment.nodeId, incarnation: assignment.incarnation, revoked: !isHeld });
  }
  return { tasks, workers, previous };
}

/** Connectors of which some owner, from before the present task configs, was asked to stop and has not stopped. */
function withOlderOwners({ connectors, tasks }: AssignedState): ReadonlySet<string> {
  const waiting = new Set<string>();
  for (const { id, assignment } of tasks.values()) {
    if (assignment?.revokedAt === undefined) continue;
    const tasksVersion = connectors.get(id.connector)?.tasksVersion;
    if (tasksVersion !== undefined && assignment.generation < tasksVersion) waiting.add(id.connector);
  }
  return waiting;
}

function runners({ members }: AssignedState): readonly Worker[] {
  return [...members.values()].filter(({ role }) => role === Role.sourceRunner || role === Role.sinkRunner);
}
