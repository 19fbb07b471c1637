import type { Clock } from '../ports/clock.port.js';
import type { PartitionTable } from './partition-table.js';
import type { PositionWriter } from './position-writer.js';

/** How often idle queues are asked for their end, and how far it must have moved to be stored: bounds what a recovery reads. */
const CATCH_UP_INTERVAL_MS = 10_000;
const CATCH_UP_MESSAGES = 1000;

export interface PositionUpkeep {
  readonly clock: Clock;
  readonly writer: PositionWriter;
  readonly partitions: PartitionTable;
  readonly flushIntervalMs: number;
  /** Everything is written again this often, well within the retention of the positions. */
  readonly rewriteIntervalMs: number;
  readonly signal: AbortSignal;
  /** Called after each round. */
  readonly flushed: () => void;
}

/** Stores what changes, until the signal is aborted; rejects then too. */
export async function keepPositionsStored(upkeep: PositionUpkeep): Promise<void> {
  const { clock, writer, partitions, signal } = upkeep;
  let rewrittenMs = clock.nowMs();
  let caughtUpMs = rewrittenMs;
  for (;;) {
    await clock.sleep(upkeep.flushIntervalMs, signal);
    const nowMs = clock.nowMs();
    const isRewriteDue = nowMs - rewrittenMs >= upkeep.rewriteIntervalMs;
    if (isRewriteDue || nowMs - caughtUpMs >= CATCH_UP_INTERVAL_MS) {
      caughtUpMs = nowMs;
      // Not waited for: a broker that does not answer must not keep the positions of the others waiting.
      void partitions.catchUp(isRewriteDue ? 1 : CATCH_UP_MESSAGES);
      void partitions.leaveClosedQueues();
    }
    if (isRewriteDue) {
      await writer.writeAll(false);
      await writer.refreshOthers(clock.wallMs() - 2 * upkeep.rewriteIntervalMs);
      rewrittenMs = clock.nowMs();
    } else await writer.flush();
    upkeep.flushed();
  }
}
