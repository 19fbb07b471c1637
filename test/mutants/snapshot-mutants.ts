import type { Mutant } from './mutant.js';

/** Which snapshots count, and that one is there when the beginning of the log is gone. */
export const SNAPSHOT_MUTANTS: readonly Mutant[] = [
  {
    rule: 'snapshot: records with another digest are loaded',
    file: 'log/snapshot-load.ts',
    from: 'if (digestText(digest) !== done.digest) return',
    to: "if (digestText(digest) === '') return",
    specs: ['log/snapshot-load.spec.ts'],
  },
  {
    rule: 'snapshot: one of which chunks are missing counts',
    file: 'log/snapshot-events.ts',
    from: 'if (openSnapshot.chunks !== done.chunks) return closed;',
    to: '',
    specs: ['log/snapshot-load.spec.ts'],
  },
  {
    rule: 'snapshot: chunks of two claims make one',
    file: 'log/header-events.ts',
    from: 'return { ...withoutOpenSnapshot(header), epoch, claimId, leader };',
    to: 'return { ...header, epoch, claimId, leader };',
    specs: ['log/snapshot-load.spec.ts'],
  },
  {
    rule: 'snapshot: one whose own entries do not make it valid is loaded',
    file: 'log/snapshot-load.ts',
    from: 'if (state.snapshot?.doneOffset !== last.offset) return',
    to: 'if (state.snapshot === null) return',
    specs: ['log/snapshot-load.spec.ts'],
  },
  {
    rule: 'snapshot: a reader whose beginning of the log is gone starts with what is left',
    file: 'log/start-plan.ts',
    from: "if (minOffset > 0) return { kind: 'snapshot', isRequired: true };",
    to: '',
    specs: ['log/start-plan.spec.ts'],
  },
];
