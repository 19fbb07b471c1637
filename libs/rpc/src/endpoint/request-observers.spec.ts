import { describe, expect, it } from '@jest/globals';
import { RequestObservers, type SettledRequest } from './request-observers.js';
import { RPC_ERROR_CODES, RpcError } from '../contract/rpc-error.js';
import { RpcTimeoutError } from '../contract/rpc-error.js';

async function endOf(reply: Promise<unknown>): Promise<SettledRequest> {
  const observers = new RequestObservers();
  const told = new Promise<SettledRequest>((resolve) => observers.add(resolve));
  observers.observe('question', reply);
  return told;
}

describe('observers of requests', () => {
  it.each([
    ['answered', () => Promise.resolve('yes')],
    ['unanswered', () => Promise.reject(new RpcTimeoutError('n', 'question', 10))],
    ['unanswered', () => Promise.reject(new RpcError(RPC_ERROR_CODES.cancelled, 'given up'))],
    ['refused', () => Promise.reject(new RpcError(RPC_ERROR_CODES.unknownPattern, 'no handler'))],
    ['refused', () => Promise.reject(new RpcError('CONNECT_CONFIG_INVALID', 'wrong field'))],
  ])('are notified that one was %s', async (outcome, replied) => {
    const end = await endOf(replied());
    expect(end).toMatchObject({ pattern: 'question', outcome });
    expect(end.durationMs).toBeGreaterThanOrEqual(0);
  });

  it('are not notified once they do not listen any more', async () => {
    const observers = new RequestObservers();
    const ends: SettledRequest[] = [];
    observers.add((end) => ends.push(end))();
    observers.observe('question', Promise.resolve());
    await Promise.resolve();
    expect(ends).toEqual([]);
  });
});
