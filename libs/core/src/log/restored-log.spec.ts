import { describe, expect, it } from '@jest/globals';
import type { ClusterState } from '../model/cluster-state.js';
import type { ReadEntry } from '../model/entry.js';
import { LogWriter } from '../testing/log-writer.js';
import { emptyState, foldEntries } from './fold.js';
import { restoredLog, restoredState, type RestorePlace } from './restored-log.js';
import { loadSnapshot } from './snapshot-load.js';

const place: RestorePlace = {
  logId: 'log-2',
  broker: 'broker-b',
  incarnation: 'r1',
  at: 2_000_000_000,
  lastOffset: -1,
};

/** A log with a task that is held, one that is surplus, and a node. */
function kept(): LogWriter {
  const log = LogWriter.started();
  log.join('w1');
  log.connector('a', 2);
  log.assign('a', 0, 'w1');
  log.assign('a', 1, 'w1');
  log.write({ kind: 'tasks.committed', tasks: [{ connector: 'a', index: 0 }] });
  log.split('a', 1);
  return log;
}

function written(state: ClusterState, chunkBytes = 200): readonly ReadEntry[] {
  const { logId, epoch, claimId, head } = state;
  return restoredLog(state, chunkBytes).map((event, at) => {
    const seq = head.seq + 1 + at;
    const prevDigest = at === 0 ? head.digest : `r${at - 1}`;
    const entry = { logId, epoch, claimId, seq, prevDigest, at: place.at, event };
    return { offset: head.offset + 1 + at, digest: `r${at}`, entry };
  });
}

function readAnew(reads: readonly ReadEntry[]): ClusterState {
  const loaded = loadSnapshot(reads.slice(0, -1));
  if (loaded.kind !== 'loaded') throw new Error(JSON.stringify(loaded));
  return foldEntries(loaded.state, reads.slice(-1)).state;
}

describe('a restored log', () => {
  const { state } = kept();

  it('gives who reads it the connectors and tasks of the files, held by nobody, and lets a coordinator claim', () => {
    const read = readAnew(written(restoredState(state, place)));
    expect([...read.connectors]).toEqual([...state.connectors]);
    expect([...read.tasks.values()]).toEqual([
      expect.objectContaining({ id: { connector: 'a', index: 0 }, committed: true, lastNodeId: 'w1' }),
    ]);
    expect([...read.tasks.values()].some(({ assignment }) => assignment !== undefined)).toBe(false);
    expect(read.members.size).toBe(0);
    expect(read.departed.get('w1@w1#1')).toBe(place.at);
    expect(read).toMatchObject({ logId: 'log-2', broker: 'broker-b', epoch: state.epoch, leader: { resigned: true } });
  });

  it('numbers its entries above all that the files know, and above those of a restore before', () => {
    for (const at of [state.createdAt, place.at]) {
      const { seq } = restoredState(state, { ...place, at }).head;
      expect(seq).toBeGreaterThan(Math.max(state.head.seq, at - state.createdAt) + 1_000_000);
    }
    const first = restoredState(state, place);
    const again = restoredState(state, { ...place, at: place.at + 60_000 });
    expect(again.head.seq).toBeGreaterThan(first.head.seq);
  });

  it('is void while an entry of it is missing', () => {
    const reads = written(restoredState(state, place));
    expect(reads.length).toBeGreaterThan(5);
    expect(foldEntries(emptyState(), reads).accepted).toEqual([]);
    for (let missing = 0; missing < reads.length - 2; missing += 1) {
      const rest = reads.filter((_, at) => at !== missing).slice(0, -1);
      expect(loadSnapshot(rest)).toMatchObject({ kind: 'invalid' });
    }
  });

  it('is no continuation for a node that has read the old one', () => {
    expect(foldEntries(state, written(restoredState(state, place))).accepted).toEqual([]);
  });
});
