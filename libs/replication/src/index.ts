export * from './messages/hop-list.js';
export * from './messages/property-copier.js';
export * from './messages/property-rules.js';
export * from './messages/queue-identity.js';
export * from './messages/read-position.js';
export * from './queues/divide-queues.js';
export * from './queues/propose-pairs.js';
export * from './queues/queue-losses.js';
export * from './streams/sink-stream.js';
export * from './streams/judge-copies.js';
export * from './topics/plan-topics.js';
export * from './topics/system-topics.js';
export * from './topics/topic-rename.js';
export { accountDifferences, type AccountsToCompare } from './sync/account-differences.js';
export { accountOfUser, type Converted, userOfAccount } from './sync/acl-conversion.js';
export { type ByBroker, type Difference, keyOf, type SyncedKind } from './sync/difference.js';
export { groupDifferences, type GroupsOfBroker, type GroupsToCompare } from './sync/group-differences.js';
export { type NameFilter, namesItself, reservedGroup, takesName } from './sync/name-filter.js';
export { type Decision, type Direction, reconcile, type Remembered } from './sync/reconcile.js';
export {
  type AccountShape,
  describeAction,
  type GroupChange,
  type GroupShape,
  HiddenText,
  type PlainPermShape,
  type RetryPolicyShape,
  type RuleShape,
  type SyncAction,
  type TopicChange,
  type TopicShape,
  type UserShape,
} from './sync/sync-action.js';
export { topicDifferences, type TopicsOfBroker, type TopicsToCompare, withdrawsWrite } from './sync/topic-differences.js';
export { userDifferences, type UsersToCompare } from './sync/user-differences.js';
export * from './offsets/copy-index.js';
export * from './offsets/queue-entry.js';
export * from './offsets/translate-offset.js';
export { readReplicatorAliases, type ReadAliases } from './aliases/replicator-aliases.js';
export * from './verify/index.js';
