import { headerOf, type ClusterState, type StateHeader, type StoredResult } from '../model/cluster-state.js';
import type { ConnectorState } from '../model/connector.js';
import type { Member } from '../model/member.js';
import { pairRowsOf, pairTablesIn, type PairRows } from '../model/pair-table.js';
import type { SnapshotRecord } from '../model/snapshot.js';
import { rowsOf, tasksIn } from '../model/task-rows.js';
import { TaskTable } from '../model/task-table.js';
import { digestAfter, digestText, EMPTY_DIGEST, type RecordDigest } from './record-digest.js';

/** A whole state as records, in a fixed order. Only what the log says: not what this reader skipped. */
export function recordsOf(state: ClusterState): readonly SnapshotRecord[] {
  const records: SnapshotRecord[] = [['header', headerOf(state)]];
  for (const member of state.members.values()) records.push(['member', member]);
  for (const [key, at] of state.departed) records.push(['departed', key, at]);
  for (const connector of state.connectors.values()) records.push(['connector', connector]);
  for (const [, group] of state.tasks.groups()) {
    for (const rows of rowsOf(group, state.members)) records.push(['tasks', rows]);
  }
  for (const rows of pairRowsOf(state.pairs)) records.push(['pairs', rows]);
  for (const result of state.results.values()) records.push(['result', result]);
  return records;
}

/** The state that the records were made from; `undefined` without a header. */
export function stateOfRecords(records: Iterable<SnapshotRecord>): ClusterState | undefined {
  let header: StateHeader | undefined;
  const members = new Map<string, Member>();
  const departed = new Map<string, number>();
  const connectors = new Map<string, ConnectorState>();
  const tasks = new TaskTable();
  const pairs: PairRows[] = [];
  const results = new Map<string, StoredResult>();
  for (const record of records) {
    switch (record[0]) {
      case 'header':
        header = record[1];
        break;
      case 'member':
        members.set(record[1].nodeId, record[1]);
        break;
      case 'departed':
        departed.set(record[1], record[2]);
        break;
      case 'connector':
        connectors.set(record[1].name, record[1]);
        break;
      case 'tasks':
        for (const task of tasksIn(record[1], members)) tasks.set(task);
        break;
      case 'pairs':
        pairs.push(record[1]);
        break;
      case 'result':
        results.set(record[1].requestId, record[1]);
        break;
    }
  }
  if (header === undefined) return undefined;
  return { ...header, members, departed, connectors, tasks, pairs: pairTablesIn(pairs), results, skipped: 0 };
}

/** Digest of what a state says: equal on all readers that have folded the same entries. */
export function stateDigest(state: ClusterState): string {
  let digest: RecordDigest = EMPTY_DIGEST;
  for (const record of recordsOf(state)) digest = digestAfter(digest, record);
  return digestText(digest);
}
