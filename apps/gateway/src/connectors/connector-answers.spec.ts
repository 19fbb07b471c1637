import { describe, expect, it } from '@jest/globals';
import type { TaskStatus } from '@sluice/core';
import { HIDDEN_VALUE, isSecretName } from '@sluice/sdk';
import { taskStatusJson } from './connector-answers.js';

const status: TaskStatus = {
  id: { connector: 'c', index: 2 },
  state: 'RESTARTING',
  workerId: 'w1',
  version: '1.2.3',
  generation: 17,
  since: 1000,
  trace: 'Error: refused abcdef\n  at x',
  lastError: { at: 1000, message: 'Error: refused abcdef', resolvedAt: 2000 },
  restart: { attempt: 3, maxAttempts: 10, at: 5000 },
  warnings: [{ at: 900, message: 'found abcdef' }],
  counters: { recordsSkipped: 3, deadLettersWritten: 2, recordsSent: 8 },
};

describe('taskStatusJson', () => {
  it('adds generation, times, the last error, the next restart, warnings and skipped records to the fields that clients know, without secrets', () => {
    expect(taskStatusJson(status, { password: 'abcdef' }, isSecretName)).toEqual({
      id: 2,
      state: 'RESTARTING',
      worker_id: 'w1',
      version: '1.2.3',
      trace: `Error: refused ${HIDDEN_VALUE}\n  at x`,
      generation: 17,
      since: 1000,
      last_error: { at: 1000, message: `Error: refused ${HIDDEN_VALUE}`, resolved_at: 2000 },
      restart: { attempt: 3, max_attempts: 10, at: 5000 },
      warnings: [{ at: 900, message: `found ${HIDDEN_VALUE}` }],
      skipped_records: 3,
      dead_letters: 2,
    });
  });

  it('shows since when a task has no more data', () => {
    const completed: TaskStatus = { id: status.id, state: 'RUNNING', workerId: 'w1', since: 1000, completedAt: 4000 };
    expect(taskStatusJson(completed, {}, isSecretName)).toEqual({
      id: 2,
      state: 'RUNNING',
      worker_id: 'w1',
      since: 1000,
      completed_at: 4000,
    });
  });

  it('shows what a completed task left out', () => {
    const counters = { recordsSkipped: 5, deadLettersWritten: 2 };
    const completed: TaskStatus = { id: status.id, state: 'COMPLETED', workerId: 'w1', since: 4000, completedAt: 4000, counters };
    expect(taskStatusJson(completed, {}, isSecretName)).toMatchObject({ state: 'COMPLETED', skipped_records: 5, dead_letters: 2 });
  });

  it('leaves out what is not known', () => {
    const unassigned: TaskStatus = { id: status.id, state: 'UNASSIGNED', workerId: '' };
    const withoutSkips = { ...unassigned, counters: { recordsSkipped: 0, deadLettersWritten: 0 } };
    expect(taskStatusJson(withoutSkips, {}, isSecretName)).not.toHaveProperty('skipped_records');
    expect(taskStatusJson(withoutSkips, {}, isSecretName)).not.toHaveProperty('dead_letters');
    expect(taskStatusJson(unassigned, {}, isSecretName)).toEqual({ id: 2, state: 'UNASSIGNED', worker_id: '' });
  });
});
