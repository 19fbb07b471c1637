import type { ConfigSpec } from '@sluice/sdk';

const GROUP = "Groups' offsets";

/** The settings of what gives consumer groups of the source their offsets at the target. */
export const offsetSyncSpec = {
  'sync.offsets': {
    type: 'boolean',
    importance: 'medium',
    doc: 'Whether consumer groups of the source get the offset at the target that stands for theirs: forwards only, and while they have no members there.',
    default: true,
    group: GROUP,
    width: 'short',
    displayName: 'Offsets of groups',
  },
  'sync.offsets.interval.ms': {
    type: 'int',
    importance: 'low',
    doc: 'Time between two translations of all offsets, in milliseconds: what a group acknowledges within it may be seen again at the target.',
    default: 5_000,
    min: 500,
    max: 3_600_000,
    group: GROUP,
    width: 'short',
    displayName: 'Interval in milliseconds',
  },
  'sync.offsets.others': {
    type: 'string',
    importance: 'medium',
    doc: 'What messages mean that this connector has not copied to the target: hold keeps offsets before those that nothing proves to be consumed; skip goes by the copies alone.',
    default: 'hold',
    oneOf: ['hold', 'skip'],
    group: GROUP,
    width: 'short',
    displayName: 'Other messages',
  },
  'sync.offsets.reverse.connector': {
    type: 'string',
    importance: 'medium',
    doc: 'Name of the connector that copies the target to the source. What a group consumes at the source of its copies is consumed for the target too.',
    optional: true,
    nonEmpty: true,
    example: 'east-to-west',
    group: GROUP,
    width: 'medium',
    displayName: 'Connector of the other direction',
  },
} as const satisfies ConfigSpec;
