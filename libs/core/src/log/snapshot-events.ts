import type { LogHead, StateHeader } from '../model/cluster-state.js';
import type { LogEvent } from '../model/entry.js';
import type { EventStamp } from './header-events.js';

type Chunk = Extract<LogEvent, { kind: 'snapshot.chunk' }>;
type Done = Extract<LogEvent, { kind: 'snapshot.done' }>;

/** The first chunk opens a snapshot, each further one must be the next of the same; any other one spoils it. */
export function snapshotAfterChunk(header: StateHeader, chunk: Chunk, { seq }: EventStamp): StateHeader {
  const { snapshotId, asOf, index } = chunk;
  const isFirst = index === 0 && asOf.seq < seq;
  if (!isFirst && !isNextOf(header, chunk)) return withoutOpenSnapshot(header);
  return { ...header, openSnapshot: { snapshotId, asOf, chunks: index + 1 } };
}

/** The last chunk is in the log: the snapshot is valid if none is missing. A claim in between has discarded it. */
export function snapshotAfterDone(header: StateHeader, done: Done, { seq, offset, at }: EventStamp): StateHeader {
  const { openSnapshot } = header;
  const closed = withoutOpenSnapshot(header);
  if (openSnapshot === undefined || !isSameSnapshot(openSnapshot, done)) return closed;
  if (openSnapshot.chunks !== done.chunks) return closed;
  return { ...closed, snapshot: { ...openSnapshot, doneOffset: offset, doneSeq: seq, at } };
}

/** A snapshot that was not finished is void. */
export function withoutOpenSnapshot(header: StateHeader): StateHeader {
  const { openSnapshot, ...rest } = header;
  return openSnapshot === undefined ? header : rest;
}

function isNextOf({ openSnapshot }: StateHeader, chunk: Chunk): boolean {
  return openSnapshot !== undefined && isSameSnapshot(openSnapshot, chunk) && chunk.index === openSnapshot.chunks;
}

interface Named {
  readonly snapshotId: string;
  readonly asOf: LogHead;
}

function isSameSnapshot(left: Named, right: Named): boolean {
  return left.snapshotId === right.snapshotId && sameHead(left.asOf, right.asOf);
}

export function sameHead(left: LogHead, right: LogHead): boolean {
  return left.offset === right.offset && left.seq === right.seq && left.digest === right.digest;
}
