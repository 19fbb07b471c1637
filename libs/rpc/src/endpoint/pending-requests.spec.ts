import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { PendingRequests } from './pending-requests.js';
import { RpcError } from '../contract/rpc-error.js';

const request = { correlationId: 'id', node: 'n', pattern: 'p', timeoutMs: 10_000 };

describe('PendingRequests', () => {
  it('settles by correlation id once, and knows an answer that nobody waits for', async () => {
    const pending = new PendingRequests(10);
    const open = pending.open(request);
    expect(pending.settle('other', { kind: 'value', value: 0 })).toBe(false);
    expect(pending.settle('id', { kind: 'value', value: 1 })).toBe(true);
    expect(pending.settle('id', { kind: 'value', value: 2 })).toBe(false);
    await expect(open.reply).resolves.toBe(1);
    expect(open.settled.aborted).toBe(true);
  });

  it('ends by its deadline with the last failure to send as the cause', async () => {
    const open = new PendingRequests(10).open({ ...request, timeoutMs: 5 });
    const failure = new RpcError('RPC_UNAVAILABLE', 'no connection');
    open.noteFailure(failure);
    await expect(open.reply).rejects.toMatchObject({ code: 'RPC_TIMEOUT', node: 'n', pattern: 'p', cause: failure });
  });

  it('waits where it is given more time than a timer can count', async () => {
    const pending = new PendingRequests(10);
    const open = pending.open({ ...request, timeoutMs: 2 ** 40 });
    await delay(30);
    pending.settle('id', { kind: 'value', value: 1 });
    await expect(open.reply).resolves.toBe(1);
  });

  it('forgets a cancelled request and refuses one that is cancelled already', async () => {
    const pending = new PendingRequests(10);
    const cancel = new AbortController();
    const open = pending.open({ ...request, signal: cancel.signal });
    cancel.abort();
    await expect(open.reply).rejects.toMatchObject({ code: 'RPC_CANCELLED' });
    expect(pending.size).toBe(0);
    expect(() => pending.open({ ...request, signal: cancel.signal })).toThrow("The request 'p' to node 'n' was cancelled by its caller");
  });

  it('takes no more than its limit and fails all at the end', async () => {
    const pending = new PendingRequests(1);
    const open = pending.open(request);
    expect(() => pending.open({ ...request, correlationId: 'second' })).toThrow(
      '1 requests wait for their reply already; at most 1 are allowed',
    );
    pending.failAll(new RpcError('RPC_STOPPED', 'stopped'));
    await expect(open.reply).rejects.toMatchObject({ code: 'RPC_STOPPED' });
  });
});
