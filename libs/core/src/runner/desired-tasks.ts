import { SharedMap } from '../model/shared-map.js';
import { TaskTable } from '../model/task-table.js';
import type { ClusterState } from '../model/cluster-state.js';
import {
  TargetState,
  taskConfig,
  taskKey,
  type Config,
  type ConnectorState,
  type ConnectorType,
  type TaskId,
  type TaskState,
} from '../model/connector.js';

/** A task that a node should run. A change of `generation` means a stop and a new start. */
export interface DesiredTask {
  readonly id: TaskId;
  readonly generation: number;
  readonly type: ConnectorType;
  readonly config: Config;
  /** Of a first task: the settings of its connector that its tasks were made from, for the connector's instance. */
  readonly connectorConfig?: Config;
  /** It keeps its resources but moves no records. */
  readonly paused: boolean;
  /** Positions were committed before: a missing one is an error. */
  readonly committed: boolean;
}

type Tables = Pick<ClusterState, 'members' | 'connectors' | 'tasks'>;

/**
 * What one incarnation of a node should run, by `taskKey`. What it runs beyond that, or at another generation, it must
 * stop and then report as absent. An incarnation that is not a member should run nothing.
 */
export class DesiredTasks {
  #tasks = new TaskTable();
  #connectors: Tables['connectors'] = new Map();
  #isMember = false;
  #desired: ReadonlyMap<string, DesiredTask> = new Map();

  constructor(private readonly node: { readonly nodeId: string; readonly incarnation: string }) {}

  /** The same map as before where nothing has changed; what this costs grows only with the connectors that have. */
  in({ members, connectors, tasks }: Tables): ReadonlyMap<string, DesiredTask> {
    const isMember = members.get(this.node.nodeId)?.incarnation === this.node.incarnation;
    const wasMember = this.#isMember;
    this.#isMember = isMember;
    if (!isMember) return this.#forget();
    const before = wasMember ? this.#tasks : new TaskTable();
    const changed = new Set(TaskTable.changedConnectors(before, tasks));
    for (const name of SharedMap.changedKeys(this.#connectors, connectors)) changed.add(name);
    let desired: Map<string, DesiredTask> | undefined;
    for (const name of changed) {
      const connector = connectors.get(name);
      const isSameConnector = connector === this.#connectors.get(name);
      const was = before.ofConnector(name);
      const is = tasks.ofConnector(name);
      for (let index = 0; index < Math.max(was.length, is.length); index += 1) {
        const task = is[index];
        if (isSameConnector && task === was[index]) continue;
        const key = taskKey({ connector: name, index });
        if (task !== undefined && this.#isOwn(task)) {
          (desired ??= new Map(this.#desired)).set(key, desiredTask(task, connector));
        } else if (this.#desired.has(key)) (desired ??= new Map(this.#desired)).delete(key);
      }
    }
    this.#tasks = tasks;
    this.#connectors = connectors;
    return (this.#desired = desired ?? this.#desired);
  }

  #forget(): ReadonlyMap<string, DesiredTask> {
    this.#tasks = new TaskTable();
    if (this.#desired.size > 0) this.#desired = new Map();
    return this.#desired;
  }

  #isOwn({ assignment }: TaskState): boolean {
    if (assignment?.nodeId !== this.node.nodeId || assignment.incarnation !== this.node.incarnation) return false;
    return assignment.revokedAt === undefined;
  }
}

/** As {@link DesiredTasks} of one moment. */
export function desiredTasks(
  state: Tables,
  node: { readonly nodeId: string; readonly incarnation: string },
): ReadonlyMap<string, DesiredTask> {
  return new DesiredTasks(node).in(state);
}

function desiredTask(task: TaskState, connector: ConnectorState | undefined): DesiredTask {
  const { id, type, assignment, committed } = task;
  const paused = connector?.targetState === TargetState.paused;
  const generation = assignment?.generation ?? 0;
  const own = id.index === 0 && connector !== undefined ? { connectorConfig: connector.tasksConfig ?? connector.config } : {};
  return { id, generation, type, config: taskConfig(connector, task), ...own, paused, committed };
}
