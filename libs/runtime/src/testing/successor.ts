import type { LoopEnd } from '../task/loop-end.js';
import type { Lease } from '../ports/lease.port.js';
import type { FakeQueue } from './fake-cluster.js';
import { readValid } from './read-valid.js';
import { recordsOf, type TwoQueues } from './two-queues.js';

/** The lease of a runner that had no gap. */
export const unbroken: Lease = { held: true, doubtfulUpTo: -1, gaps: 0, whenHeld: () => Promise.resolve() };

/**
 * Assigns the task to another runner, which sends the rest of `count` records; then the control plane's log loses the assignment.
 *
 * @param sent records that are in the queue
 * @param losesPositions the positions of the other runner are lost too: log and positions are on one broker
 */
export async function succeed(
  { world }: TwoQueues,
  count: number,
  { sent = 5, losesPositions = false, limitMs = 600_000 } = {},
): Promise<void> {
  const { owners } = world.positions;
  const positions = losesPositions ? world.positions.copy() : world.positions;
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

/** Messages of no source. */
export const foreign = (count: number): { body: Buffer; properties: Buffer }[] =>
  Array.from({ length: count }, () => ({ body: Buffer.from('x'), properties: Buffer.alloc(0) }));

/** The values that readers get from a queue, each once. */
export const held = (queue: FakeQueue): string[] => [...new Set(readValid(queue))];

/** Holds the next send back. Returns a call that stores it. */
export function holdNextSend({ world }: TwoQueues): () => void {
  let store = (): void => undefined;
  const until = new Promise<void>((resolve) => (store = resolve));
  world.cluster.fate = () => {
    world.cluster.fate = () => ({ kind: 'store' });
    return { kind: 'hold', until };
  };
  return () => {
    store();
  };
}

/** Gives the runner its lease again. Its generations are below 100; generations from now on are above. */
export function regain({ world }: TwoQueues): void {
  world.lease.regain(100);
}

/** Resolves with how the loop ended within `limitMs`; undefined where it runs. */
export async function endOf({ world, loop }: Pick<TwoQueues, 'world' | 'loop'>, limitMs = 60_000): Promise<LoopEnd | undefined> {
  let end: LoopEnd | undefined;
  void loop.ended.then((found) => (end = found));
  await world.clock.advance(limitMs);
  return end;
}

/** Has a newer generation that the log keeps send the rest of `count` records. */
export async function resume({ world }: TwoQueues, count: number): Promise<void> {
  const { loop } = world.loop(world.source({ a: recordsOf(count) }), { ports: { lease: unbroken } });
  const started = loop.start();
  await world.clock.advance(30_000);
  await started;
  loop.kill();
}
