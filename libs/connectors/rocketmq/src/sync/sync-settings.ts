import { type NameFilter, namesItself, reservedGroup, takesName } from '@sluice/replication';
import { type ConfigSpec, type FieldError, requireConfig, type TaskConfig } from '@sluice/sdk';
import { isCreationAllowed } from '../flow/target-queues.js';

const GROUP = 'Configuration sync';

/** The settings of what keeps topics, consumer groups and access rules of the target like those of the source. */
export const syncSpec = {
  'sync.topics': {
    type: 'boolean',
    importance: 'medium',
    doc: 'Whether topics that are copied get the queues, permissions, order and attributes that they have at the source.',
    default: true,
    group: GROUP,
    width: 'short',
    displayName: 'Topics',
  },
  'sync.groups': {
    type: 'boolean',
    importance: 'medium',
    doc: 'Whether consumer groups of the source are created at the target, and get the same settings.',
    default: true,
    group: GROUP,
    width: 'short',
    displayName: 'Consumer groups',
  },
  'sync.acl': {
    type: 'boolean',
    importance: 'medium',
    doc: 'Whether users and rules of access control are copied with their secrets. Both clusters then need credentials of a super user or admin account.',
    default: false,
    group: GROUP,
    width: 'short',
    displayName: 'Access control',
  },
  'sync.interval.ms': {
    type: 'int',
    importance: 'low',
    doc: 'Time between two comparisons of both clusters, in milliseconds.',
    default: 5_000,
    min: 1_000,
    max: 3_600_000,
    group: GROUP,
    width: 'short',
    displayName: 'Interval in milliseconds',
  },
  'sync.delete': {
    type: 'boolean',
    importance: 'medium',
    doc: 'Whether what this connector has made at the target is deleted there once it is gone at the source. What others have made stays always.',
    default: false,
    group: GROUP,
    width: 'short',
    displayName: 'Delete',
  },
  'sync.dry.run': {
    type: 'boolean',
    importance: 'low',
    doc: 'Whether differences are only logged, and nothing is changed.',
    default: false,
    group: GROUP,
    width: 'short',
    displayName: 'Dry run',
  },
  groups: {
    type: 'list',
    importance: 'medium',
    doc: 'Consumer groups to take: names, or parts of names with * for anything. Groups of RocketMQ and Sluice themselves are taken where they are named.',
    default: ['*'],
    nonEmpty: true,
    example: 'orders-*,billing',
    group: GROUP,
    width: 'long',
    displayName: 'Groups',
  },
  'groups.exclude': {
    type: 'list',
    importance: 'medium',
    doc: 'Consumer groups to leave out although groups takes them: names, or parts of names with * for anything.',
    default: [],
    example: '*-test',
    group: GROUP,
    width: 'long',
    displayName: 'Groups left out',
  },
  'acl.users': {
    type: 'list',
    importance: 'medium',
    doc: 'Users of access control to copy: names, or parts of names with * for anything. Super users and admin accounts are copied where they are named.',
    default: ['*'],
    nonEmpty: true,
    example: 'orders-*',
    group: GROUP,
    width: 'long',
    displayName: 'Users',
  },
  'acl.users.exclude': {
    type: 'list',
    importance: 'medium',
    doc: 'Users of access control to leave out although acl.users takes them: names, or parts of names with * for anything.',
    default: [],
    example: 'root',
    group: GROUP,
    width: 'long',
    displayName: 'Users left out',
  },
} as const satisfies ConfigSpec;

/** What a flow keeps alike, and how. */
export interface SyncSettings {
  readonly areTopicsSynced: boolean;
  readonly areGroupsSynced: boolean;
  readonly isAclSynced: boolean;
  readonly intervalMs: number;
  readonly isDeleteAllowed: boolean;
  readonly isDryRun: boolean;
  readonly groups: NameFilter;
  readonly users: NameFilter;
  /** Whether topics may be created at the target, and get more queues. */
  readonly isCreationAllowed: boolean;
  /** Users that this connector signs its own requests with: a flow never touches them. */
  readonly ownUsers: ReadonlySet<string>;
}

const FILTERS = ['groups', 'groups.exclude', 'acl.users', 'acl.users.exclude'] as const;
/** Of names of groups and users, and the star. */
const PATTERN = /^[%|a-zA-Z0-9_*-]+$/;
/** Users may have names that groups cannot. */
const USER_PATTERN = /^[\x21-\x7e]+$/;

/** Returns whether a flow takes a consumer group: those of RocketMQ and Sluice themselves only where the filter names them. */
export function takesGroup(groups: NameFilter, name: string): boolean {
  return takesName(groups, name) && (reservedGroup(name) === undefined || namesItself(groups, name));
}

/** Returns what is wrong with settings that are right one by one. */
export function syncErrors(config: TaskConfig): readonly FieldError[] {
  return FILTERS.flatMap((field) =>
    (config[field] ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '' && !(field.startsWith('acl.') ? USER_PATTERN : PATTERN).test(item))
      .map((item) => ({
        field,
        message: `Invalid value ${item} for configuration ${field}: Allowed are names with * for anything; it is no regular expression`,
      })),
  );
}

/** Reads the settings of the configuration sync. @throws {ConfigError} */
export function readSyncSettings(subject: string, config: TaskConfig): SyncSettings {
  const parsed = requireConfig(subject, syncSpec, config, { unknownKeys: 'ignore' });
  const keys = [config['source.cluster.access.key'], config['data.cluster.access.key']];
  return {
    areTopicsSynced: parsed['sync.topics'],
    areGroupsSynced: parsed['sync.groups'],
    isAclSynced: parsed['sync.acl'],
    intervalMs: parsed['sync.interval.ms'],
    isDeleteAllowed: parsed['sync.delete'],
    isDryRun: parsed['sync.dry.run'],
    groups: { include: parsed.groups, exclude: parsed['groups.exclude'] },
    users: { include: parsed['acl.users'], exclude: parsed['acl.users.exclude'] },
    isCreationAllowed: isCreationAllowed(config),
    ownUsers: new Set(keys.filter((key): key is string => key !== undefined && key !== '')),
  };
}
