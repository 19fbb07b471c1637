import { parseConfig, type ConfigSpec, type RawConfig } from '@sluice/sdk';
import type { RestartPolicy } from '../retry/restart-policy.js';
import { commonSettingsSpec } from './connector-settings.js';

const supervisionSpec = {
  'restart.max.attempts': commonSettingsSpec['restart.max.attempts'],
  'restart.backoff.initial.ms': commonSettingsSpec['restart.backoff.initial.ms'],
  'restart.backoff.max.ms': commonSettingsSpec['restart.backoff.max.ms'],
  'task.shutdown.timeout.ms': commonSettingsSpec['task.shutdown.timeout.ms'],
} as const satisfies ConfigSpec;

/** What a host needs to know of a task besides its loop. */
export interface TaskSupervision {
  readonly restart: RestartPolicy;
  /** How long the task may take to stop, in milliseconds. */
  readonly shutdownTimeoutMs: number;
}

/** Wrong settings fail the task's start for good: then nothing is to be repeated. */
const withoutRepetition: TaskSupervision = {
  restart: { maxAttempts: 0, backoff: { initialMs: 1, maxMs: 1 } },
  shutdownTimeoutMs: commonSettingsSpec['task.shutdown.timeout.ms'].default,
};

/** Never throws: a host has to stop a task with wrong settings too. */
export function taskSupervision(config: RawConfig): TaskSupervision {
  const parsed = parseConfig(supervisionSpec, config, { unknownKeys: 'ignore' });
  if (!parsed.ok) return withoutRepetition;
  const { value } = parsed;
  const maxAttempts = value['restart.max.attempts'];
  return {
    restart: {
      maxAttempts: maxAttempts === -1 ? undefined : maxAttempts,
      backoff: { initialMs: value['restart.backoff.initial.ms'], maxMs: value['restart.backoff.max.ms'] },
    },
    shutdownTimeoutMs: value['task.shutdown.timeout.ms'],
  };
}
