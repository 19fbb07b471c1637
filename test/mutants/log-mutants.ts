import type { Mutant } from './mutant.js';

/** Which entries count, and whether the log still is the one that was read. */
export const logMutants: readonly Mutant[] = [
  {
    rule: 'epoch: an entry counts from any claim, not only from the one in force',
    file: 'log/fold.ts',
    from: 'return leader?.resigned === false && entry.epoch === epoch && entry.claimId === claimId;',
    to: 'return leader?.resigned === false;',
    specs: ['log/fold.spec.ts'],
  },
  {
    rule: 'epoch: a claim may leave epochs out',
    file: 'log/fold.ts',
    from: 'entry.epoch === header.epoch + 1',
    to: 'entry.epoch > header.epoch',
    specs: ['log/fold.spec.ts'],
  },
  {
    rule: 'claim: what its writer knew (`after`) does not matter',
    file: 'log/fold.ts',
    from: 'return after.seq === head.seq && after.digest === head.digest && entry.epoch',
    to: 'return after !== undefined && head !== undefined && entry.epoch',
    specs: ['log/fold.spec.ts'],
  },
  {
    rule: 'resignation: a leader that resigned may write on',
    file: 'log/fold.ts',
    from: 'return leader?.resigned === false && entry.epoch',
    to: 'return leader !== undefined && entry.epoch',
    specs: ['log/fold.spec.ts'],
  },
  {
    rule: 'chain: only the number of an entry counts, not the digest of the one before',
    file: 'log/fold.ts',
    from: 'if (entry.seq !== head.seq + 1 || entry.prevDigest !== head.digest) {',
    to: 'if (entry.seq !== head.seq + 1) {',
    specs: ['log/fold.spec.ts'],
  },
  {
    rule: 'chain: an entry may leave others out',
    file: 'log/fold.ts',
    from: 'if (entry.seq !== head.seq + 1 || entry.prevDigest !== head.digest) {',
    to: 'if (entry.seq <= head.seq) {',
  },
  {
    rule: 'truncated tail: another entry at the offset of the last one read is not noticed',
    file: 'log/tail-check.ts',
    from: 'if (found !== undefined) return found === digest ? undefined :',
    to: "if (found !== undefined) return found !== '' || digest === '' ? undefined :",
  },
  {
    rule: 'truncated tail: a log that ends before the last entry read is not noticed',
    file: 'log/tail-check.ts',
    from: 'if (offset >= bounds.maxOffset) return',
    to: 'if (offset >= bounds.maxOffset + 1_000_000) return',
  },
  {
    rule: 'generation: a task that is given away again keeps its number',
    file: 'log/cluster-draft.ts',
    from: 'const assignment = { nodeId, incarnation, generation: seq };',
    to: 'const assignment = { nodeId, incarnation, generation: Math.min(seq, 1) };',
  },
  {
    rule: 'one owner: a task that somebody holds can be given to another',
    file: 'log/cluster-draft.ts',
    from: 'if (task === undefined || task.assignment !== undefined) return;',
    to: 'if (task === undefined) return;',
    specs: ['log/fold.spec.ts'],
  },
  {
    rule: 'revocation: stopping a connector does not revoke its tasks',
    file: 'log/cluster-draft.ts',
    from: 'if (targetState === TargetState.stopped) this.#revokeAll(name, seq);\n  }',
    to: '}',
  },
  {
    rule: 'revocation: new settings of a task do not revoke it',
    file: 'log/cluster-draft.ts',
    from: 'if (!isSame) this.#revoke(key, seq);',
    to: '',
  },
];
