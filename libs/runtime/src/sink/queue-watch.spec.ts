import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../ports/clock.port.js';
import type { QueueSet } from './queue-set.js';
import { QueueWatch } from './queue-watch.js';

describe('the watch for new queues', () => {
  it('says that it failed, and once that it works again', async () => {
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
      warn: (line) => lines.push(`warn ${line}`),
      info: (line) => lines.push(`info ${line}`),
    });
    await watch.run();
    const failed = 'warn Looking for new queues failed and is retried later: Error: no broker';
    expect(lines).toEqual([failed, failed, 'info New queues are looked for again, after 2 failure(s)']);
  });
});
