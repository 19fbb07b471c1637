import type { DesiredTask } from '@sluice/core';
import type { ResolvedValue } from '@sluice/sdk';

/** A task with its settings as its connector gets them. It stays in the process: what is stored or reported is the task that it was made from. */
export interface ResolvedTask extends DesiredTask {
  /** What the references of its settings stood for; absent where nothing was resolved. */
  readonly resolved?: readonly (ResolvedValue & { /** How long it holds, in milliseconds. */ readonly ttlMs?: number })[];
}
