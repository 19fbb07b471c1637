import type { ConnectorPositionsCopy } from '@sluice/protocol';

/** What was folded of one positions queue, as plain data. */
export interface PositionQueueCopy {
  readonly queueId: number;
  readonly nextOffset: number;
  /** Of the message before `nextOffset`; absent where retention has taken it. */
  readonly digest?: string;
  /** At least up to `nextOffset`: what is folded twice changes nothing. */
  readonly connectors: readonly ConnectorPositionsCopy[];
}

/** The content of `position.json`: per queue, how far it was folded and what came out. */
export interface PositionFile {
  readonly version: 3;
  readonly queues: readonly PositionQueueCopy[];
}

/** The content of `offset.json`: what this node committed last, by group and queue. */
export interface OffsetFile {
  readonly version: 1;
  readonly groups: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export function isPositionFile(value: unknown): value is PositionFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    value.version === 3 &&
    'queues' in value &&
    Array.isArray(value.queues)
  );
}

export function isOffsetFile(value: unknown): value is OffsetFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    value.version === 1 &&
    'groups' in value &&
    typeof value.groups === 'object' &&
    value.groups !== null
  );
}
