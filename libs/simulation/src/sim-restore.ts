import {
  type ClusterState,
  fromFiles,
  isOfOneOrigin,
  type LogEvent,
  MEMBER_LEASE_MS,
  RESTORE_NODE_ID,
  restoredLog,
  restoredLogId,
  restoredState,
} from '@sluice/core';
import { wallOf } from './sim-clock.js';
import type { SimFleet } from './sim-faults.js';

/** As a restore waits after it has made the topic. */
const QUIET_MS = MEMBER_LEASE_MS + 1_000;
const CHUNK_BYTES = 1_500;

/**
 * The log's topic is deleted. Somebody stops the nodes, though at times not all of them, and restores the log from the files of a node.
 * Mostly that is the one that has read furthest. Before that others may create the topic again, empty or as a new log.
 */
export function loseLog(fleet: SimFleet): void {
  const { broker, clock, coordinators, runners, isUpgrade } = fleet;
  const kept = filesOf(fleet);
  if (isUpgrade || !broker.isLogThere || broker.log.length === 0 || kept === undefined) return;
  broker.deleteLog();
  for (const each of [...coordinators, ...runners]) if (clock.random() < 0.7) each.isDead = true;
  const fate = clock.random();
  if (fate < 0.2) broker.makeLog();
  else if (fate < 0.4) broker.recreateLog();
  clock.after(500 + clock.random() * 4_000, () => {
    if (broker.log.length > 0) broker.deleteLog();
    forgetOthers(fleet, kept.logId);
    restore(fleet, kept);
  });
}

/** Nodes that had read no log before have joined the one that was created again: their directories are removed. */
function forgetOthers({ coordinators, runners }: SimFleet, own: string): void {
  for (const each of [...coordinators, ...runners]) {
    const read = [each.disk.logId ?? own, each.reader.node.cluster.logId || own];
    if (read.every((logId) => isOfOneOrigin(logId, own))) continue;
    each.isDead = true;
    delete each.disk.logId;
    delete each.disk.files;
  }
}

/** Returns the state in the files of one node if they are of the present log: earlier ones are older than a restore. */
function filesOf({ clock, coordinators, runners, truth }: SimFleet): ClusterState | undefined {
  truth.follow();
  const { logId } = truth.state;
  const copies = [...coordinators, ...runners].flatMap(({ disk }) => {
    const files = disk.files?.();
    const state = files && fromFiles(JSON.parse(files.connectors), JSON.parse(files.tasks));
    return state === undefined || state.head.seq < 0 || state.logId !== logId ? [] : [state];
  });
  if (clock.random() < 0.3) return clock.pick(copies);
  return copies.sort((left, right) => right.head.seq - left.head.seq)[0];
}

/**
 * Restores as `sluice restore` does. Where others write meanwhile, it deletes the topic and restarts; an interrupted one continues after
 * what is there.
 */
function restore(fleet: SimFleet, kept: ClusterState): void {
  const { broker, clock, truth } = fleet;
  if (broker.log.some(({ entry }) => !entry.claimId.startsWith(`${RESTORE_NODE_ID}/`))) broker.deleteLog();
  broker.makeLog();
  const lastOffset = broker.log.length - 1;
  clock.after(QUIET_MS, () => {
    const unique = String(clock.random());
    const place = { broker: kept.broker, incarnation: unique, at: wallOf(clock), lastOffset };
    const state = restoredState(kept, { ...place, logId: restoredLogId(kept.logId, unique) });
    truth.judgeRestored(state);
    write(fleet, kept, state, restoredLog(state, CHUNK_BYTES));
  });
}

function write(fleet: SimFleet, kept: ClusterState, state: ClusterState, events: readonly LogEvent[]): void {
  const { broker, clock } = fleet;
  const { logId, epoch, claimId } = state;
  const end = state.head.offset + events.length + 1;
  const place = { logId, epoch, claimId, at: wallOf(clock) };
  const brokenOffAt = clock.random() < 0.2 ? Math.floor(clock.random() * events.length) : undefined;
  let { seq, digest, offset } = state.head;
  let written = 0;
  const next = (): void => {
    const event = events[written];
    if (event === undefined) return;
    if (broker.log.length !== offset + 1) {
      broker.deleteLog();
      restore(fleet, kept);
      return;
    }
    if (written === 0) {
      broker.base = state;
      broker.leastEntries = end;
    }
    if (written === brokenOffAt && event.kind === 'snapshot.chunk') {
      clock.after(clock.random() * 2_000, () => {
        restore(fleet, kept);
      });
      return;
    }
    offset = broker.store(seq, digest, [event], place);
    digest = broker.log[offset]?.digest ?? '';
    seq += 1;
    written += 1;
    clock.after(1 + clock.random() * 20, next);
  };
  next();
}
