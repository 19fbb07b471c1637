import { describe, expect, it } from '@jest/globals';
import { CallDeadline } from './call-deadline.js';

describe('CallDeadline', () => {
  it('makes an error of this package of a rejection that is none', async () => {
    const lost = 'lost' as unknown as Error;
    const work = Promise.reject(lost);
    await expect(new CallDeadline(1_000, undefined).race(work, 'route of a topic', () => 'not-sent')).rejects.toMatchObject({
      code: 'MALFORMED_DATA',
      retriable: false,
      outcome: 'unknown',
      cause: 'lost',
    });
  });
});
