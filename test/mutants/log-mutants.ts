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
    from: 'if (!isNext || entry.prevDigest !== head.digest) {',
    to: 'if (!isNext) {',
    specs: ['log/fold.spec.ts'],
  },
  {
    rule: 'chain: an entry may leave others out',
    file: 'log/fold.ts',
    from: 'if (!isNext || entry.prevDigest !== head.digest) {',
    to: 'if (entry.seq <= head.seq) {',
  },
  {
    rule: 'truncated tail: another entry at the offset of the last one read is not noticed',
    file: 'log/tail-check.ts',
    from: "return found === digest ? 'same' :",
    to: "return found !== '' || digest === '' ? 'same' :",
  },
  {
    rule: 'truncated tail: a log that ends before the last entry read is not noticed',
    file: 'log/tail-check.ts',
    from: 'if (offset >= bounds.maxOffset) return',
    to: 'if (offset >= bounds.maxOffset + 1_000_000) return',
  },
  {
    rule: 'proofs: one counts though what is in the log is not folded yet',
    file: 'node/node-step.ts',
    from: 'if (endOffset <= nextOffset) {',
    to: 'if (endOffset >= 0) {',
  },
  {
    rule: 'generation: a task that is given away again keeps its number',
    file: 'log/cluster-draft.ts',
    from: 'const assignment = { nodeId, incarnation, generation: seq };',
    to: 'const assignment = { nodeId, incarnation, generation: Math.min(seq, 1) };',
  },
  {
    rule: 'generation: numbers that the log has lost are given again',
    file: 'log/claim-seq.ts',
    from: 'return seq + 1 + Math.floor(salt * MAX_SALT);',
    to: 'return header.head.seq + (salt > 1 ? seq : 1);',
  },
  {
    rule: 'generation: a restored log begins right behind the files',
    file: 'log/restored-log.ts',
    from: 'logAge(kept, at)) + LEAP;',
    to: 'logAge(kept, at) - LEAP);',
    specs: ['log/restored-log.spec.ts'],
  },
  {
    rule: 'one owner: a task of a stopped connector can be given away',
    file: 'log/cluster-draft.ts',
    from: 'if (this.#connectors.get(target.connector)?.targetState === TargetState.stopped) return;',
    to: '',
    specs: ['log/fold.spec.ts'],
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
    from: 'if (!isSame) this.#revoke(id, seq);',
    to: '',
  },
];
