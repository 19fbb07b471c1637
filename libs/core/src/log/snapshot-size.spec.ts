import { describe, expect, it } from '@jest/globals';
import { CoordinatorHarness } from '../testing/coordinator-harness.js';
import { readAnew } from '../testing/read-anew.js';
import { stateDigest } from './snapshot-records.js';

// Apart from the other rules of snapshots, whose mutants need not run it.
describe('a snapshot in the log', () => {
  it('of more than 4 MB comes in chunks below 256 KiB each, and is read back whole', () => {
    const node = CoordinatorHarness.leading({ snapshotEntries: 60, snapshotPauseMs: 0 });
    for (let i = 0; i < 64; i += 1) {
      const config = { 'connector.class': 'X', text: 'é'.repeat(40_000), n: String(i) };
      node.command({ kind: 'connector.put', mode: 'create', name: `c${i}`, type: 'source', config });
    }
    const chunks = node.events('snapshot.chunk');
    const sizes = chunks.map((chunk) => Buffer.byteLength(JSON.stringify(chunk)));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(4_000_000);
    expect(Math.max(...sizes)).toBeLessThan(262_144 + 512);
    expect(readAnew(node.log)).toBe(stateDigest(node.log.state));
  });
});
