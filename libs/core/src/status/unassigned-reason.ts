import type { UnassignedReason, Worker } from '../assignment/assignment-types.js';
import { Eligibility } from '../assignment/eligibility.js';
import { placementOf } from '../model/placement.js';
import type { ClusterState } from '../model/cluster-state.js';
import { connectorClass, type ConnectorState } from '../model/connector.js';
import { Role, runnerRole, type Member } from '../model/member.js';

type Fleet = Pick<ClusterState, 'members' | 'draining'>;

interface Known {
  readonly draining: readonly string[];
  readonly eligibility: ReadonlyMap<Role, Eligibility>;
}

const known = new WeakMap<Fleet['members'], Known>();

/** Why no member can run the tasks of a connector; undefined if one can, so that a free task is assigned soon. */
export function unassignedReason(fleet: Fleet, { type, config }: Pick<ConnectorState, 'type' | 'config'>): UnassignedReason | undefined {
  const need = { connectorClass: connectorClass(config), placement: placementOf(config) };
  return eligibilityOf(fleet).get(runnerRole(type))?.find(need).reason;
}

/** The runners of a cluster; those that are draining say so. */
export function runnersOf({ members, draining }: Fleet): readonly (Member & Worker)[] {
  const leaving = new Set(draining);
  return [...members.values()]
    .filter(({ role }) => role === Role.sourceRunner || role === Role.sinkRunner)
    .map((member) => (leaving.has(member.nodeId) ? { ...member, draining: true } : member));
}

/** Computed once per version of the members, for one status per connector is asked for at a time. */
function eligibilityOf(fleet: Fleet): ReadonlyMap<Role, Eligibility> {
  const before = known.get(fleet.members);
  if (before?.draining === fleet.draining) return before.eligibility;
  const workers = runnersOf(fleet);
  const roles = [Role.sourceRunner, Role.sinkRunner] as const;
  const eligibility = new Map<Role, Eligibility>(roles.map((role) => [role, new Eligibility(role, workers)]));
  known.set(fleet.members, { draining: fleet.draining, eligibility });
  return eligibility;
}
