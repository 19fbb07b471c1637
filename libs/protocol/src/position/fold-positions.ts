import type { PositionMessage } from './position.codec.js';

/** What is known of one task after some messages of its positions queue. */
export interface TaskPositions {
  readonly connector: string;
  readonly index: number;
  readonly generation: number;
  readonly clean: boolean;
  readonly entries: Readonly<Record<string, object>>;
  readonly scans: Readonly<Record<string, object>>;
}

/**
 * Applies the next message of the queue. A message of an older generation than one seen before is ignored: its writer was deposed.
 *
 * A new owner takes the state before its own barrier. After the barrier the task counts as unclean until its owner stops in good order:
 * it may have sent records that no position covers yet.
 */
export function foldPosition(before: TaskPositions | undefined, message: PositionMessage): TaskPositions {
  const { connector, index, generation } = message;
  if (before !== undefined && generation < before.generation) return before;
  const known = before ?? { connector, index, generation, clean: true, entries: {}, scans: {} };
  switch (message.kind) {
    case 'barrier':
      return { ...known, generation, clean: false };
    case 'write':
      return {
        connector,
        index,
        generation,
        clean: message.clean,
        entries: message.full ? message.entries : { ...known.entries, ...message.entries },
        scans: message.full ? message.scans : { ...known.scans, ...message.scans },
      };
  }
}
