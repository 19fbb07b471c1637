import type { ConnectorType, TaskId } from '../model/connector.js';
import type { Labels, Role } from '../model/member.js';

export interface AssignableTask {
  /** `taskKey(id)`, which the caller has at hand. */
  readonly key: string;
  readonly id: TaskId;
  readonly type: ConnectorType;
  /** A worker must list it among its plugins. */
  readonly connectorClass: string;
  /** A worker must carry all of these. One object per connector is cheapest: it is looked at once. */
  readonly placement?: Labels;
  /** Its last owner, preferred by `sticky` where balance allows. */
  readonly lastNodeId?: string;
}

export interface Worker {
  readonly nodeId: string;
  readonly incarnation: string;
  readonly role: Role;
  /** Relative share; a worker of capacity 0 is given nothing and loses what it has. */
  readonly capacity: number;
  /** Names and aliases of the connectors it can run. */
  readonly plugins: readonly string[];
  readonly labels?: Labels;
  /** It is given nothing and loses what it has. */
  readonly draining?: boolean;
}

export interface PreviousAssignment {
  readonly nodeId: string;
  readonly incarnation: string;
  /** Its owner was asked to stop it and has not yet done so. */
  readonly revoked: boolean;
}

export interface AssignmentInput {
  readonly tasks: readonly AssignableTask[];
  readonly workers: readonly Worker[];
  /** By `taskKey`; a task without one is free. */
  readonly previous: ReadonlyMap<string, PreviousAssignment>;
}

/** Why nobody can run a task; the codes are in the order in which the conditions are looked at. */
export interface UnassignedReason {
  readonly code: 'no-worker' | 'no-plugin' | 'no-labels' | 'all-draining' | 'no-capacity';
  /** Names the role, the plugin and the labels, for people. */
  readonly message: string;
}

export type UnassignedTask = TaskId & { readonly reason: UnassignedReason };

export interface AssignmentPlan {
  /** Free tasks and their new owners. */
  readonly assign: readonly (TaskId & { readonly nodeId: string; readonly incarnation: string })[];
  /** Tasks that must move or stop. They are assigned by a later plan, once they are free. */
  readonly revoke: readonly TaskId[];
  /** Tasks that no worker can run. */
  readonly unassigned: readonly UnassignedTask[];
}
