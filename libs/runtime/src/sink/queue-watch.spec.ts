import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../ports/clock.port.js';
import type { QueueSet } from './queue-set.js';
import { QueueWatch } from './queue-watch.js';

describe('the watch for new queues', () => {
  it('says once that it failed and that it works again, and shows each failure', async () => {
    const answers = ['works', 'fails', 'fails', 'works', 'works'];
    const stopping = new AbortController();
    const lines: string[] = [];
    const clock: Pick<Clock, 'sleep'> = {
      sleep: () => {
        if (answers.length === 0) stopping.abort();
        return Promise.resolve();
      },
    };
    const watch = new QueueWatch({
      intervalMs: 1,
      clock: clock as Clock,
      queues: { isEmpty: false, notYetOpened: () => [] } as unknown as QueueSet,
      resets: { lookForDue: () => undefined },
      foreign: { look: () => Promise.resolve() },
      list: () => (answers.shift() === 'fails' ? Promise.reject(new Error('no broker')) : Promise.resolve([])),
      signal: stopping.signal,
      found: () => undefined,
      waiting: { failed: (error) => lines.push(`waits ${String(error)}`), ended: () => lines.push('no wait') },
      warn: (line) => lines.push(`warn ${line}`),
      info: (line) => lines.push(`info ${line}`),
    });
    await watch.run();
    const shown = 'waits Error: no broker';
    expect(lines.filter((line) => line !== 'no wait')).toEqual([
      shown,
      'warn Looking for new queues failed and is retried until it succeeds: Error: no broker',
      shown,
      'info New queues are looked for again, after 2 failure(s)',
    ]);
    expect(lines.at(-1)).toBe('no wait');
  });
});
