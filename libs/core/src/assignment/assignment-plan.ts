import type { ConnectorType, TaskId } from '../model/connector.js';
import type { Role } from '../model/member.js';

export interface AssignableTask {
  /** `taskKey(id)`, which the caller has at hand. */
  readonly key: string;
  readonly id: TaskId;
  readonly type: ConnectorType;
  /** A worker must list it among its plugins. */
  readonly connectorClass: string;
  /** Its last owner, preferred where balance allows. */
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

export interface AssignmentPlan {
  /** Free tasks and their new owners. */
  readonly assign: readonly (TaskId & { readonly nodeId: string; readonly incarnation: string })[];
  /** Tasks that must move. They are assigned by a later plan, once they are free. */
  readonly revoke: readonly TaskId[];
}

/** Pure and independent of the order of tasks and workers. */
export type AssignmentStrategy = (input: AssignmentInput) => AssignmentPlan;
