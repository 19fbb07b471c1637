import { commandMutants } from './command-mutants.js';
import { logMutants } from './log-mutants.js';
import { memberMutants } from './member-mutants.js';
import type { Mutant } from './mutant.js';
import { snapshotMutants } from './snapshot-mutants.js';
import { taskMutants } from './task-mutants.js';

export const mutants: readonly Mutant[] = [
  ...logMutants,
  ...snapshotMutants,
  ...memberMutants,
  ...taskMutants,
  ...commandMutants,
];
