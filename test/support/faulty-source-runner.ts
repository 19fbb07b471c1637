import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { Role } from '@sluice/core';
import type { Connector } from '@sluice/sdk';

/** CPU time of this thread. */
function ownCpuMs(): number {
  const fields = readFileSync('/proc/thread-self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const faults: Readonly<Record<string, () => Promise<void> | void>> = {
  /** An error that no promise of the task carries. */
  throw: () => {
    setImmediate(() => {
      throw new Error('thrown where nobody catches it');
    });
  },
  memory: () => {
    const kept: unknown[] = [];
    for (;;) kept.push({ more: Array.from({ length: 100 }, () => ({})) });
  },
  /** For ten seconds of CPU time, which on a busy machine take longer. */
  spin: () => {
    const end = ownCpuMs() + 10_000;
    while (ownCpuMs() < end);
  },
  hang: () => new Promise(() => undefined),
};

/** A source without records. At its first poll it commits the fault that its settings name; then it makes the file that they name, and is sound. */
const faultySource: Connector = {
  kind: 'source',
  name: 'FaultySource',
  aliases: [],
  version: '1.0.0',
  doc: 'Commits a fault once.',
  spec: {
    fault: { type: 'string', oneOf: Object.keys(faults), importance: 'high', doc: 'What it does.' },
    'done.file': { type: 'string', importance: 'high', doc: 'It is sound where this file exists.' },
  },
  taskConfigs: (config) => [config],
  createTask: () => {
    let fault = '';
    let file = '';
    return {
      start: ({ config }) => {
        fault = config['fault'] ?? '';
        file = config['done.file'] ?? '';
        return Promise.resolve();
      },
      poll: async (signal) => {
        if (!existsSync(file)) {
          writeFileSync(file, fault);
          await faults[fault]?.();
        }
        await delay(50, undefined, { signal }).catch(() => undefined);
        return [];
      },
      stop: () => Promise.resolve(),
    };
  },
};

if (isMainThread) await (await import('@sluice/runner')).runRunner(Role.sourceRunner, import.meta.url, [faultySource]);
else await (await import('@sluice/runner/task-thread')).runTaskThread([faultySource]);
