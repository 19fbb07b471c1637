import { COMMAND_MUTANTS } from './command-mutants.js';
import { COMPLETION_MUTANTS } from './completion-mutants.js';
import { LOG_MUTANTS } from './log-mutants.js';
import { MEMBER_MUTANTS } from './member-mutants.js';
import type { Mutant } from './mutant.js';
import { PAIR_MUTANTS } from './pair-mutants.js';
import { SNAPSHOT_MUTANTS } from './snapshot-mutants.js';
import { TASK_MUTANTS } from './task-mutants.js';

export const MUTANTS: readonly Mutant[] = [
  ...LOG_MUTANTS,
  ...SNAPSHOT_MUTANTS,
  ...MEMBER_MUTANTS,
  ...TASK_MUTANTS,
  ...COMMAND_MUTANTS,
  ...COMPLETION_MUTANTS,
  ...PAIR_MUTANTS,
];
