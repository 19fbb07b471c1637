// A runner of the role that KILLABLE_ROLE names. SIGUSR2 ends one of its task threads in the middle of whatever it does: nothing of the thread
// runs any more, and its connections break off. Threads have no signals of their own.
import { syncBuiltinESMExports } from 'node:module';
import workerThreads, { isMainThread, Worker, type WorkerOptions } from 'node:worker_threads';
import { Role } from '@sluice/core';

/** The threads that run, the one that ran the longest without being ended first. */
const threads: Worker[] = [];

class KnownWorker extends Worker {
  constructor(file: URL, options: WorkerOptions) {
    super(file, options);
    threads.push(this);
    this.once('exit', () => threads.splice(threads.indexOf(this), 1));
  }
}

const role = process.env['KILLABLE_ROLE'] === 'source-runner' ? Role.sourceRunner : Role.sinkRunner;

if (isMainThread) {
  process.on('SIGUSR2', () => void threads[0]?.terminate());
  // The runner's modules take the class from here when they are loaded.
  Object.assign(workerThreads, { Worker: KnownWorker });
  syncBuiltinESMExports();
  await (await import('@sluice/runner')).runRunner(role, import.meta.url);
} else await (await import('@sluice/runner/task-thread')).runTaskThread();
