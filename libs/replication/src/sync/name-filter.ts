/** Which names a flow takes: those listed or matched, without those excluded. */
export interface NameFilter {
  /** Names, or parts of names with `*` for anything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Returns whether a filter takes a name. */
export function takesName({ include, exclude }: NameFilter, name: string): boolean {
  return include.some((pattern) => matches(pattern, name)) && !exclude.some((pattern) => matches(pattern, name));
}

/** Returns whether a filter names something itself, not by a pattern. */
export function namesItself({ include }: NameFilter, name: string): boolean {
  return include.includes(name);
}

/** Runs in time that grows with the lengths' product at most, whatever the pattern. */
function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return first === name;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  const end = name.length - last.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** Groups that RocketMQ, its tools and its services have for themselves. */
const SYSTEM_GROUPS: ReadonlySet<string> = new Set([
  'DEFAULT_PRODUCER',
  'DEFAULT_CONSUMER',
  'TOOLS_CONSUMER',
  'SCHEDULE_CONSUMER',
  'FILTERSRV_CONSUMER',
  '__MONITOR_CONSUMER',
  'CLIENT_INNER_PRODUCER',
  'SELF_TEST_P_GROUP',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
  'CID_ONSAPI_PULL',
  'CID_RMQ_SYS_TRANS',
  'CID_SYS_RMQ_TRANS',
]);
const SYSTEM_GROUP_PREFIXES: readonly string[] = ['CID_RMQ_SYS_', 'CID_SYS_', 'rmq_sys_', 'CID_DefaultHeartBeatSyncerTopic'];
const SLUICE_GROUP_PREFIX = 'sluice-';

/** Returns why a group is left out unless a filter names it itself; undefined where it is one of users. */
export function reservedGroup(group: string): string | undefined {
  if (SYSTEM_GROUPS.has(group) || SYSTEM_GROUP_PREFIXES.some((prefix) => group.startsWith(prefix))) return 'a group of RocketMQ itself';
  return group.startsWith(SLUICE_GROUP_PREFIX) ? 'a group of Sluice itself' : undefined;
}
