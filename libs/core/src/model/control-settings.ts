const NAMES = new Set([
  'name',
  'connector.class',
  'connector-class',
  'tasks.max',
  'max.tasks',
  'transforms',
  'predicates',
  'rate.limit.records.per.second',
  'rate.limit.bytes.per.second',
  'restart.max.attempts',
  'restart.backoff.initial.ms',
  'restart.backoff.max.ms',
  'task.shutdown.timeout.ms',
]);
const CHOICES =
  /^(?:(?:.+\.)?plugin\.version|(?:key|value|header)\.converter|(?:transforms|predicates)\.[^.]+\.(?:type|class|predicate)|placement\..+)$/;

/**
 * Whether a setting of a connector is read outside of the connector: by gateways, by the leader, and by what starts and stops tasks. It is stored as it
 * is: neither a reference nor encrypted.
 */
export function isControlSetting(name: string): boolean {
  return NAMES.has(name) || CHOICES.test(name);
}
