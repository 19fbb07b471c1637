import { describe, expect, it } from '@jest/globals';
import { withEachNameServer } from './command-settings.js';

describe('withEachNameServer', () => {
  it.each([
    ['127.0.0.1:9876;', 1],
    ['127.0.0.1:9876; 127.0.0.1:9877,', 2],
  ])("opens a client per name server of '%s'", async (namesrv, expected) => {
    await expect(withEachNameServer({ namesrv }, (clients) => Promise.resolve(clients.length))).resolves.toBe(expected);
  });

  it('names an address that is none', async () => {
    const opening = withEachNameServer({ namesrv: '127.0.0.1:9876;nowhere' }, () => Promise.resolve());
    await expect(opening).rejects.toThrow('nowhere');
  });
});
