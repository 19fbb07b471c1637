export * from './assignment/assign-tasks.js';
export * from './assignment/assignment-input.js';
export * from './assignment/assignment-types.js';
export { isPlacementKey, parseLabels, parsePlacement, type ParsedLabels } from './model/placement.js';
export * from './assignment/preview-assignment.js';
export { PriorityQueue } from './assignment/priority-queue.js';
export * from './lease/node-lease.js';
export * from './log/fold.js';
export * from './log/log-id.js';
export * from './log/restored-log.js';
export * from './log/same-config.js';
export * from './log/snapshot-load.js';
export { recordsOf, stateDigest, stateOfRecords } from './log/snapshot-records.js';
export * from './log/start-plan.js';
export * from './model/task-table.js';
export * from './log/tail-check.js';
export * from './log/json-parts.js';
export * from './log/state-files.js';
export * from './model/cluster-settings.js';
export * from './model/cluster-state.js';
export * from './model/command.js';
export * from './model/connector.js';
export { CoreError } from './model/core-error.js';
export * from './model/entry.js';
export * from './model/feature-level.js';
export * from './model/member.js';
export * from './model/report.js';
export * from './model/snapshot.js';
export * from './lease/elapsed-time.js';
export * from './log-follower/node-loop.js';
export * from './log-follower/node-step.js';
export * from './runner/desired-tasks.js';
export * from './status/connector-status.js';
export * from './status/drain-status.js';
export * from './status/node-status.js';
export * from './status/reports-view.js';
export { runnersOf, unassignedReason } from './status/unassigned-reason.js';
export { maySend } from './coordinator/appends.js';
export * from './coordinator/effect.js';
export { fractionOf } from './coordinator/fraction-of.js';
export * from './coordinator/input.js';
export { defaultCoordinatorSettings, type CoordinatorSettings } from './coordinator/settings.js';
export {
  initialCoordinator,
  type CoordinatorSelf,
  type CoordinatorState,
  type KnownReport,
} from './coordinator/state.js';
export * from './coordinator/step.js';
export * from './coordinator/unattended-sources.js';
