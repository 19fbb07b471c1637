import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { Role } from '@sluice/core';
import type { Connector } from '@sluice/sdk';

/**
 * A source without records. It has the keys in a file of its folder agreed upon, each with a value that names the runner and the call. Each call
 * writes a line into a file, and waits while the folder has a file `hold`. The one task gets all pairs in force.
 */
const agreeingSource: Connector = {
  kind: 'source',
  name: 'AgreeingSource',
  aliases: [],
  version: '1.0.0',
  doc: 'Agrees upon pairs.',
  spec: {
    folder: { type: 'string', importance: 'high', doc: 'Where the keys are.' },
    agreed: { type: 'string', importance: 'high', doc: 'The pairs, as JSON.' },
  },
  taskConfigs: async (config, _maxTasks, { pairs, signal }) => {
    const folder = config['folder'] ?? '';
    const calls = join(folder, 'calls');
    const keys = readFileSync(join(folder, 'keys'), 'utf8').trim().split(' ');
    appendFileSync(calls, `${process.env['SLUICE_NODE_ID'] ?? ''} ${keys.join(' ')}\n`);
    const call = readFileSync(calls, 'utf8').trim().split('\n').length;
    while (existsSync(join(folder, 'hold'))) await delay(20, undefined, { signal });
    const wanted = keys.map((key) => [key, `${key} by ${process.env['SLUICE_NODE_ID'] ?? ''} in call ${call}`] as const);
    const agreed = await pairs.extend(new Map(wanted));
    return [{ ...config, agreed: JSON.stringify(Object.fromEntries(agreed)) }];
  },
  createTask: () => ({
    start: () => Promise.resolve(),
    poll: async (signal) => {
      await delay(50, undefined, { signal }).catch(() => undefined);
      return [];
    },
    stop: () => Promise.resolve(),
  }),
};

if (isMainThread) await (await import('@sluice/runner')).runRunner(Role.sourceRunner, import.meta.url, [agreeingSource]);
else await (await import('@sluice/runner/task-thread')).runTaskThread([agreeingSource]);
