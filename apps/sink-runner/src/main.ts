import { isMainThread } from 'node:worker_threads';
import { Role } from '@sluice/core';

// A task thread loads nothing of the service around its tasks: it starts in half the time and takes half the memory.
if (isMainThread) await (await import('@sluice/runner')).runRunner(Role.sinkRunner, import.meta.url);
else await (await import('@sluice/runner/task-thread')).runTaskThread();
