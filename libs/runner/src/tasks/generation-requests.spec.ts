import { describe, expect, it } from '@jest/globals';
import type { CommandOutcome, TaskId } from '@sluice/core';
import { GenerationRequests } from './generation-requests.js';

const id = (connector: string, index: number, generation = 7) => ({ connector, index, generation });

/** Requests whose commands are answered by `answer`, once `hold` has resolved. */
function world(answer: (tasks: readonly TaskId[]) => CommandOutcome | Error, hold: Promise<void> = Promise.resolve()) {
  const commands: string[] = [];
  const generations: number[] = [];
  const requests = new GenerationRequests(async (connector, tasks) => {
    commands.push(`${connector}: ${tasks.map(({ index }) => index).join(' ')}`);
    generations.push(...tasks.map(({ generation }) => generation));
    await hold;
    const outcome = answer(tasks);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
  return { requests, commands, generations };
}

describe('GenerationRequests', () => {
  it('sends one command for all tasks of a connector that ask in one turn, and one for those that ask meanwhile', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const { requests, commands } = world(() => ({ status: 'done' }), held);
    const first = [id('a', 0), id('a', 1), id('b', 0), id('a', 2)].map((task) => requests.request(task));
    await new Promise((resolve) => setImmediate(resolve));
    const later = [id('a', 3), id('a', 4)].map((task) => requests.request(task));
    release();
    await Promise.all([...first, ...later]);
    expect(commands).toEqual(['a: 0 1 2', 'b: 0', 'a: 3 4']);
    await requests.request(id('a', 0));
    expect(commands.at(-1)).toBe('a: 0');
  });

  it('names the generations that are to be replaced', async () => {
    const { requests, generations } = world(() => ({ status: 'done' }));
    await Promise.all([requests.request(id('a', 0, 12)), requests.request(id('a', 1, 15))]);
    expect(generations).toEqual([12, 15]);
  });

  it('asks for each task alone where one of them is gone, which needs nothing any more', async () => {
    const { requests, commands } = world((tasks) =>
      tasks.some(({ index }) => index === 1) ? { status: 'not-found', message: 'Unknown task: a-1' } : { status: 'done' },
    );
    await Promise.all([id('a', 0), id('a', 1), id('a', 2)].map((task) => requests.request(task)));
    expect(commands).toEqual(['a: 0 1 2', 'a: 0', 'a: 1', 'a: 2']);
  });

  it('rejects for every task of a command that was refused, or that nobody took', async () => {
    const refused = world(() => ({ status: 'conflict', message: 'no' })).requests;
    const lost = world(() => new Error('no leader')).requests;
    const outcomes = (requests: GenerationRequests): Promise<readonly PromiseSettledResult<void>[]> =>
      Promise.allSettled([id('a', 0), id('a', 1)].map((task) => requests.request(task)));
    expect(await outcomes(refused)).toMatchObject(
      Array(2).fill({ status: 'rejected', reason: { code: 'RESTART_REFUSED', message: 'no' } }),
    );
    expect(await outcomes(lost)).toMatchObject(Array(2).fill({ status: 'rejected', reason: { message: 'no leader' } }));
  });
});
