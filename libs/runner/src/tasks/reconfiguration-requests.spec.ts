import { describe, expect, it } from '@jest/globals';
import type { CommandOutcome } from '@sluice/core';
import { ReconfigurationRequests } from './reconfiguration-requests.js';

interface Call {
  readonly connector: string;
  readonly answer: (outcome: CommandOutcome) => void;
  readonly fail: (error: Error) => void;
}

function world(): {
  requests: ReconfigurationRequests;
  calls: Call[];
  sleeps: (() => void)[];
  settle: () => Promise<void>;
} {
  const calls: Call[] = [];
  const sleeps: (() => void)[] = [];
  const requests = new ReconfigurationRequests({
    split: (connector) =>
      new Promise((answer, fail) => {
        calls.push({ connector, answer, fail });
      }),
    clock: {
      sleep: (_delayMs, signal) =>
        new Promise((resolve, reject) => {
          sleeps.push(resolve);
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    },
    logger: { info: () => undefined, warn: () => undefined },
    intervalMs: 10_000,
  });
  return { requests, calls, sleeps, settle: () => new Promise((resolve) => setImmediate(resolve)) };
}

describe('ReconfigurationRequests', () => {
  it('serves what comes meanwhile and soon after together, once the interval is over', async () => {
    const { requests, calls, sleeps, settle } = world();
    requests.request('a');
    requests.request('a');
    expect(calls).toHaveLength(1);
    calls[0]?.answer({ status: 'done' });
    await settle();
    requests.request('a');
    await settle();
    expect(calls).toHaveLength(1);
    sleeps[0]?.();
    await settle();
    expect(calls.map(({ connector }) => connector)).toEqual(['a', 'a']);
    calls[1]?.answer({ status: 'done' });
    await settle();
    sleeps[1]?.();
    await settle();
    expect(calls).toHaveLength(2);
    requests.request('a');
    expect(calls).toHaveLength(3);
  });

  it('serves connectors apart from each other', () => {
    const { requests, calls } = world();
    requests.request('a');
    requests.request('b');
    expect(calls.map(({ connector }) => connector)).toEqual(['a', 'b']);
  });

  it('asks again when nobody took the command, and not when it was refused', async () => {
    const { requests, calls, sleeps, settle } = world();
    requests.request('a');
    calls[0]?.fail(new Error('no coordinator'));
    await settle();
    sleeps[0]?.();
    await settle();
    expect(calls).toHaveLength(2);
    calls[1]?.answer({ status: 'not-found', message: 'gone' });
    await settle();
    sleeps[1]?.();
    await settle();
    expect(calls).toHaveLength(2);
  });

  it('asks nothing any more once it is stopped', async () => {
    const { requests, calls, settle } = world();
    requests.request('a');
    requests.request('a');
    calls[0]?.answer({ status: 'done' });
    await settle();
    requests.stop();
    await settle();
    requests.request('b');
    expect(calls).toHaveLength(1);
  });
});
