import { ConnectorPositions } from '@sluice/protocol';
import type { LoopEnd } from '../loop-end.js';
import type { Lease } from '../ports/lease.port.js';
import { FakePositions } from './fake-stores.js';
import { recordsOf, type TwoQueues } from './two-queues.js';

/** Of a runner that had no gap. */
export const unbroken: Lease = { held: true, doubtfulUpTo: -1, gaps: 0, whenHeld: () => Promise.resolve() };

/**
 * The control plane gives the task to another runner, which sends what of `count` records this one has not; then its log loses that.
 *
 * @param sent records that are in the queue
 * @param losesPositions what the other stores is lost too: log and positions are on one broker
 */
export async function succeed(
  { world }: TwoQueues,
  count: number,
  { sent = 5, losesPositions = false, limitMs = 600_000 } = {},
): Promise<void> {
  const { owners } = world.positions;
  const positions = losesPositions ? copyOf(world.positions) : world.positions;
  const { loop, counters } = world.loop(world.source({ a: recordsOf(count) }), {
    ports: { lease: unbroken, positions },
  });
  positions.owners = world.positions.owners;
  const started = loop.start().catch(() => undefined);
  if (count > sent) await world.clock.until(() => counters.recordsSent === count - sent, limitMs);
  else await started;
  loop.kill();
  world.positions.owners = owners;
}

function copyOf(positions: FakePositions): FakePositions {
  const copy = new FakePositions();
  const stored = (each: FakePositions): { stored: ConnectorPositions } =>
    each as unknown as { stored: ConnectorPositions };
  stored(copy).stored = ConnectorPositions.restore(stored(positions).stored.copy());
  return copy;
}

/** The runner has its lease again. Its generations are below 100, and what the log gives from now on is above. */
export function regain({ world }: TwoQueues): void {
  world.lease.regain(100);
}

/** How the loop ended within a while, if it did. */
export async function endOf({ world, loop }: TwoQueues, limitMs = 60_000): Promise<LoopEnd | undefined> {
  let end: LoopEnd | undefined;
  void loop.ended.then((found) => (end = found));
  await world.clock.advance(limitMs);
  return end;
}

/** A newer generation that the log keeps sends the rest of `count` records. */
export async function resume({ world }: TwoQueues, count: number): Promise<void> {
  const { loop } = world.loop(world.source({ a: recordsOf(count) }), { ports: { lease: unbroken } });
  const started = loop.start();
  await world.clock.advance(30_000);
  await started;
  loop.kill();
}
