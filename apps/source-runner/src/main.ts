import { isMainThread } from 'node:worker_threads';
import { Role } from '@sluice/core';
import { connectorsOf } from '@sluice/runtime';

const load = () => connectorsOf(import.meta.url, 'source');
// A task thread loads nothing of the service around its tasks: it starts in half the time and takes half the memory.
if (isMainThread) await (await import('@sluice/runner')).runRunner(Role.sourceRunner, load, import.meta.url);
else await (await import('@sluice/runner/task-thread')).runTaskThread(load);
