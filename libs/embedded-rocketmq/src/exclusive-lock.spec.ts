import { describe, expect, it } from '@jest/globals';
import { acquireLock } from './exclusive-lock.js';

let count = 0;
function uniquePath(): string {
  return `/lock/${process.pid}/${Date.now()}/${count++}`;
}

describe('acquireLock', () => {
  it('lets one holder in at a time, whatever the number that waits', async () => {
    const path = uniquePath();
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const release = await acquireLock(path);
        inside++;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
        await release();
      }),
    );
    expect(most).toBe(1);
  });

  it('reports once that it waits, and continues when the holder releases', async () => {
    const path = uniquePath();
    const release = await acquireLock(path);
    let reports = 0;
    const { promise: isWaiting, resolve: reportWaiting } = withResolvers();
    const second = acquireLock(path, {
      onWait: () => {
        reports++;
        reportWaiting();
      },
    });
    await isWaiting;
    await release();
    await (
      await second
    )();
    expect(reports).toBe(1);
  });

  it('gives up waiting with the reason of the signal', async () => {
    const path = uniquePath();
    const release = await acquireLock(path);
    try {
      const abort = new AbortController();
      const waiting = acquireLock(path, {
        signal: abort.signal,
        onWait: () => {
          abort.abort(new Error('enough'));
        },
      });
      await expect(waiting).rejects.toThrow('enough');
    } finally {
      await release();
    }
  });

  it('does not mix up two paths', async () => {
    const first = await acquireLock(uniquePath());
    const second = await acquireLock(uniquePath());
    await first();
    await second();
    expect(first).not.toBe(second);
  });
});

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
