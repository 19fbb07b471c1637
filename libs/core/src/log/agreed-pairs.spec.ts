import { describe, expect, it } from '@jest/globals';
import type { Pair } from '../model/pair-table.js';
import { LogWriter } from '../testing/log-writer.js';
import { readFiles } from '../testing/read-files.js';
import { restoredState } from './restored-log.js';
import { recordsOf, stateDigest, stateOfRecords } from './snapshot-records.js';
import { isSameButHead } from './state-files.js';

/** A log of the highest level with a connector. */
function started(): LogWriter {
  const log = LogWriter.started();
  log.write({ kind: 'cluster.version', level: 4 });
  log.connector('a', 1);
  return log;
}

function extend(log: LogWriter, connector: string, ...pairs: Pair[]): void {
  log.write({ kind: 'pairs.extended', connector, pairs });
}

const held = ({ pairs }: LogWriter['state']) => Array.from(pairs, ([name, { byKey }]) => [name, Object.fromEntries(byKey)]);

describe('pairs that a connector agrees upon', () => {
  it('are never changed: of two with one key, or one value, the first counts', () => {
    const log = started();
    extend(log, 'a', ['k1', 'v1'], ['k2', 'v1']);
    extend(log, 'a', ['k1', 'v2'], ['k3', 'v1'], ['k2', 'v2']);
    extend(log, 'b', ['k1', 'v1']);
    expect(held(log.state)).toEqual([
      ['a', { k1: 'v1', k2: 'v2' }],
      ['b', { k1: 'v1' }],
    ]);
  });

  it('outlive the connector', () => {
    const log = started();
    extend(log, 'a', ['k1', 'v1']);
    log.write({ kind: 'connector.deleted', name: 'a' });
    expect(held(log.state)).toEqual([['a', { k1: 'v1' }]]);
    log.connector('a', 2);
    extend(log, 'a', ['k1', 'v2']);
    expect(held(log.state)).toEqual([['a', { k1: 'v1' }]]);
  });

  it('are in snapshots, in files and in a restored log, and the digest of a state shows them', () => {
    const log = started();
    const before = log.state;
    extend(log, 'a', ['k1', 'v1'], ['k2', 'v2']);
    const { state } = log;
    const wanted = [['a', { k1: 'v1', k2: 'v2' }]];
    const place = { logId: 'log-2', broker: 'b', incarnation: 'r', at: 2_000_000_000, lastOffset: -1 };
    const copies = [stateOfRecords(recordsOf(state)), readFiles(state), restoredState(state, place)];
    expect(copies.map((copy) => copy && held(copy))).toEqual([wanted, wanted, wanted]);
    expect(stateDigest({ ...state, pairs: before.pairs })).not.toBe(stateDigest(state));
    expect(isSameButHead({ ...state, pairs: before.pairs }, state)).toBe(false);
  });

  it('may be absent from files of a cluster below their level, and from no others', () => {
    const log = started();
    const { level } = log.state;
    expect(readFiles(log.state, { pairs: undefined })).toBeUndefined();
    expect(readFiles(log.state, { pairs: undefined, level: level - 1 })).toMatchObject({ pairs: new Map() });
  });
});
