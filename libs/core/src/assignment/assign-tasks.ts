import { assignSticky } from './assign-sticky.js';
import type { AssignmentInput, AssignmentPlan, AssignmentStrategy } from './assignment-plan.js';

/** By the values of `assignment.strategy`. */
export const assignmentStrategies = { sticky: assignSticky } as const satisfies Record<string, AssignmentStrategy>;
export type AssignmentStrategyName = keyof typeof assignmentStrategies;

/** Decides who runs what; tasks that no worker can run stay free. */
export function assignTasks(input: AssignmentInput, strategy: AssignmentStrategyName = 'sticky'): AssignmentPlan {
  return assignmentStrategies[strategy](input);
}
