import { describe, expect, it } from '@jest/globals';
import { reportEnds } from './report-ends.js';

describe('reports of the ends of RocketMQ', () => {
  it('says once what has ended, how to start it, and that it runs again', async () => {
    const looks: (readonly string[] | Error)[] = [
      [],
      ['broker'],
      ['broker'],
      ['namesrv', 'broker'],
      new Error('no file'),
      new Error('no file'),
      ['namesrv'],
      [],
    ];
    const stopping = new AbortController();
    const said: string[] = [];
    const reporting = reportEnds({
      look: () => {
        const next = looks.shift();
        if (next === undefined) stopping.abort(new Error('stopped'));
        return next instanceof Error ? Promise.reject(next) : Promise.resolve(next ?? []);
      },
      command: 'the command',
      say: (text) => said.push(text),
      signal: stopping.signal,
      everyMs: 1,
    });
    await expect(reporting).rejects.toThrow('stopped');
    expect(said).toEqual([
      "RocketMQ's broker has ended. Start it again with `the command`",
      "RocketMQ's namesrv has ended. Start it again with `the command`",
      'Whether RocketMQ runs cannot be determined: Error: no file',
      "RocketMQ's broker runs again",
      "RocketMQ's namesrv runs again",
    ]);
  });
});
