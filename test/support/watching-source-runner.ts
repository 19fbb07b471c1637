import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { Role } from '@sluice/core';
import type { Connector } from '@sluice/sdk';

/** Takes a file away that a spec has put into the folder. Returns whether it was there. */
function taken(folder: string, name: string): boolean {
  const path = join(folder, name);
  if (!existsSync(path)) return false;
  rmSync(path);
  return true;
}

/**
 * A source without records, whose instance writes a line for each call into a file of a folder. There it looks for what it is to do: `raise` an
 * error, or `reconfigure`. The file `tasks` says how many tasks there are to be. All tasks have the same settings, whatever those of the connector.
 */
const watchingSource: Connector = {
  kind: 'source',
  name: 'WatchingSource',
  aliases: [],
  version: '1.0.0',
  doc: 'Watches a folder.',
  spec: {
    folder: { type: 'string', importance: 'high', doc: 'What it watches.' },
    tables: { type: 'string', importance: 'high', doc: 'What its instance writes into its lines.' },
  },
  taskConfigs: (config) => {
    const count = Number(readFileSync(join(config['folder'] ?? '', 'tasks'), 'utf8'));
    return Array.from({ length: count }, (_, index) => ({ ...config, tables: `part-${index}` }));
  },
  createInstance: () => {
    let watching: Promise<void> | undefined;
    let note: (call: string) => void = () => undefined;
    return {
      start: (context) => {
        const { config, generation, signal } = context;
        const folder = config['folder'] ?? '';
        note = (call) => {
          appendFileSync(join(folder, 'calls'), `${call} ${generation} ${config['tables'] ?? ''}\n`);
        };
        note('start');
        const watch = async (): Promise<void> => {
          while (!signal.aborted) {
            if (taken(folder, 'raise')) context.raiseError(new Error('the folder is gone'));
            if (taken(folder, 'reconfigure')) context.requestTaskReconfiguration();
            await delay(50, undefined, { signal }).catch(() => undefined);
          }
        };
        watching = watch();
        return Promise.resolve();
      },
      stop: async () => {
        await watching;
        note('stop');
      },
    };
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

if (isMainThread) await (await import('@sluice/runner')).runRunner(Role.sourceRunner, import.meta.url, [watchingSource]);
else await (await import('@sluice/runner/task-thread')).runTaskThread([watchingSource]);
