import type { Mutant } from './mutant.js';

/** Which tasks have completed, and what runs them again. */
export const COMPLETION_MUTANTS: readonly Mutant[] = [
  {
    rule: 'end of data: the leader takes it from any generation',
    file: 'coordinator/decide-reports.ts',
    from: 'assignment?.generation !== generation || assignment.revokedAt !== undefined) return undefined;',
    to: 'assignment === undefined || generation < 0) return undefined;',
  },
  {
    rule: 'end of data: it takes effect for any generation',
    file: 'log/connector-draft.ts',
    from: 'if (task?.assignment?.generation !== completed.generation || task.assignment.revokedAt !== undefined) return;',
    to: 'if (task?.assignment === undefined) return;',
    specs: ['log/completed-tasks.spec.ts'],
  },
  {
    rule: 'end of data: a task completes beside the instance of its connector',
    file: 'coordinator/decide-reports.ts',
    from: 'if (instance !== undefined || assignment?.generation',
    to: 'if (instance?.trace !== undefined || assignment?.generation',
    specs: ['coordinator/completed-tasks.spec.ts'],
  },
  {
    rule: 'end of data: what was reported at a lower level is forgotten',
    file: 'coordinator/step.ts',
    from: 'next.touched = new Set(next.reports.keys());',
    to: 'next.touched = new Set();',
    specs: ['coordinator/completed-tasks.spec.ts'],
  },
  {
    rule: 'completed: the leader gives such a task to a runner',
    file: 'assignment/assignment-state.ts',
    from: '|| completed !== undefined) return',
    to: ') return',
  },
  {
    rule: 'completed: such a task can be assigned',
    file: 'log/connector-draft.ts',
    from: '|| task.completed !== undefined) return;',
    to: ') return;',
    specs: ['log/completed-tasks.spec.ts'],
  },
  {
    rule: 'completed: the end of the last assignment ends that too',
    file: 'model/connector.ts',
    from: '...(completed === undefined ? {} : { completed }),',
    to: '',
  },
  {
    rule: 'completed: files and snapshots do not hold it',
    file: 'model/task-rows.ts',
    from: '...(completed === undefined ? {} : { completed: completionIn(completed) }),',
    to: '',
  },
  {
    rule: 'runs again: nothing ends it',
    file: 'log/connector-draft.ts',
    from: 'if (task?.completed !== undefined) this.#writeTasks().set(reopened(task));',
    to: 'if (task?.completed?.at === -1) this.#writeTasks().set(reopened(task));',
  },
  {
    rule: 'runs again: a restart does not end it',
    file: 'log/cluster-draft.ts',
    from: "if (event.reason === 'restarted') this",
    to: "if (event.reason === 'moved') this",
    specs: ['log/completed-tasks.spec.ts'],
  },
  {
    rule: 'runs again: a late request of its runner ends it',
    file: 'coordinator/handle-command.ts',
    from: ': isRunning && assignment.generation === generation;',
    to: ': isRunning || completed !== undefined;',
    specs: ['coordinator/completed-tasks.spec.ts'],
  },
  {
    rule: 'runs again: a restart of a connector that has completed does not end it',
    file: 'coordinator/handle-command.ts',
    from: 'if (includeTasks || (!byTask && hasCompleted(connector, tasks))) {',
    to: 'if (includeTasks) {',
    specs: ['coordinator/completed-tasks.spec.ts'],
  },
  {
    rule: 'runs again: a task that asks for other settings ends it',
    file: 'coordinator/handle-command.ts',
    from: 'if (includeTasks || (!byTask && hasCompleted(connector, tasks))) {',
    to: 'if (includeTasks || hasCompleted(connector, tasks)) {',
    specs: ['coordinator/completed-tasks.spec.ts'],
  },
];
