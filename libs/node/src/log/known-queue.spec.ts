import { describe, expect, it } from '@jest/globals';
import { RocketMqError, TopicNotFoundError } from '@sluice/rocketmq';
import { untilAnswered } from './known-queue.js';

const away = new RocketMqError('CONNECT_FAILED', 'no broker at 127.0.0.1:1', { retriable: true });
const final = new RocketMqError('AUTHORIZATION', 'not allowed', { retriable: false });

describe('untilAnswered', () => {
  const asking = (...outcomes: readonly (Error | string)[]): (() => Promise<string>) => {
    const left = [...outcomes];
    return () => {
      const outcome = left.shift() ?? 'asked too often';
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    };
  };

  it('asks again while the broker is unavailable or the name servers have forgotten the topic', async () => {
    const call = asking(away, new TopicNotFoundError('log'), away, 'answer');
    await expect(untilAnswered(call, new AbortController().signal)).resolves.toBe('answer');
  });

  it('does not ask again when that would not help', async () => {
    await expect(untilAnswered(asking(away, final, 'answer'), new AbortController().signal)).rejects.toBe(final);
  });

  it('ends once its signal is aborted', async () => {
    const ended = new AbortController();
    const call = (): Promise<string> => {
      ended.abort();
      return Promise.reject(away);
    };
    await expect(untilAnswered(call, ended.signal)).rejects.toBe(away);
  });
});
