import { describe, expect, it } from '@jest/globals';
import { type ClusterState, type CommandBody, type CommandOutcome, emptyState, extensionError, MAX_LEVEL, PairTable } from '@sluice/core';
import type { SplitContext } from '@sluice/sdk';
import { SplitContexts } from './split-contexts.js';

/** A leader that answers at once, and a copy of its log that is as old as a spec wants it. */
class Leader {
  readonly commands: CommandBody[] = [];
  outcome: CommandOutcome = { status: 'done' };
  /** Set: how the log cannot be read. */
  unreadable: Error | undefined;
  /** Set: no command is answered before its signal aborts. */
  isSilent = false;
  pairs: ReadonlyMap<string, PairTable> = new Map();
  readonly follower: { state: ClusterState; proveHead: () => Promise<{ sentAt: number }> } = {
    state: { ...emptyState(), level: MAX_LEVEL },
    proveHead: () => {
      if (this.unreadable !== undefined) return Promise.reject(this.unreadable);
      this.follower.state = { ...emptyState(), level: MAX_LEVEL, pairs: this.pairs };
      return Promise.resolve({ sentAt: 0 });
    },
  };

  /** Somebody else has pairs agreed upon. */
  agree(pairs: Readonly<Record<string, string>>): void {
    this.pairs = new Map([['c', (this.pairs.get('c') ?? PairTable.EMPTY).with(Object.entries(pairs))]]);
  }

  submit(body: CommandBody, { signal }: { readonly signal?: AbortSignal }): Promise<CommandOutcome> {
    this.commands.push(body);
    if (this.isSilent) {
      return new Promise((_, reject) => {
        signal?.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    }
    if (this.outcome.status === 'done' && body.kind === 'pairs.extend') this.agree(Object.fromEntries(body.pairs));
    return Promise.resolve(this.outcome);
  }
}

function started(): { readonly leader: Leader; readonly contexts: SplitContexts } {
  const leader = new Leader();
  return { leader, contexts: new SplitContexts({ commands: leader, follower: leader.follower }) };
}

const LONG_MS = 60_000;

describe('the pairs of a connector', () => {
  it('are read as of now, however old the own copy of the log is', async () => {
    const { leader, contexts } = started();
    leader.agree({ k: 'v' });
    const read = await contexts.within('c', LONG_MS, ({ pairs }) => pairs.read());
    expect([...read]).toEqual([['k', 'v']]);
    (read as Map<string, string>).clear();
    expect(leader.pairs.get('c')?.byKey.size).toBe(1);
  });

  it('are known, as a copy, as far as the own log goes', async () => {
    const { leader, contexts } = started();
    leader.agree({ k: 'v' });
    expect(contexts.known('c').size).toBe(0);
    await contexts.within('c', LONG_MS, ({ pairs }) => pairs.read());
    const known = contexts.known('c');
    expect([...known]).toEqual([['k', 'v']]);
    (known as Map<string, string>).clear();
    expect(contexts.known('c').size).toBe(1);
  });

  it('are extended by one of two with the same value where somebody else has taken the key of the other', async () => {
    const { leader, contexts } = started();
    leader.agree({ a: '9' });
    const pairs = new Map(Object.entries({ a: '1', b: '1' }));
    const extended = await contexts.within('c', LONG_MS, (context) => context.pairs.extend(pairs));
    expect(Object.fromEntries(extended)).toEqual({ a: '9', b: '1' });
  });

  it.each([
    ['key', [1, 'v'], '1'],
    ['value', ['k', ['v']], '["v"]'],
    ['value', ['k', undefined], 'undefined'],
  ])('are refused for good where a %s is no text: %j', async (part, pair, shown) => {
    const { leader, contexts } = started();
    const pairs = new Map([pair as unknown as readonly [string, string]]);
    const refused = contexts.within('c', LONG_MS, (context) => context.pairs.extend(pairs));
    const message = `The ${part} ${shown} of a pair of connector c is no text`;
    await expect(refused).rejects.toMatchObject({ code: 'CONNECT_CONFIG_INVALID', message });
    expect(leader.commands).toEqual([]);
  });

  it('are extended by those alone that nothing rules out, and others may be faster', async () => {
    const { leader, contexts } = started();
    leader.agree({ a: '1' });
    await contexts.within('c', LONG_MS, async ({ pairs }) => {
      await pairs.read();
      leader.agree({ b: '2' });
      const given = new Map(Object.entries({ a: '9', b: '3', c: '1', d: '4' }));
      expect([...(await pairs.extend(given))]).toEqual(Object.entries({ a: '1', b: '2', d: '4' }));
      expect(leader.commands).toEqual([{ kind: 'pairs.extend', name: 'c', pairs: Object.entries({ b: '3', d: '4' }) }]);
      expect((await pairs.extend(given)).size).toBe(3);
      expect(leader.commands).toHaveLength(1);
    });
  });

  it('come in as many commands as it takes', async () => {
    const { leader, contexts } = started();
    const pad = (text: string): string => text.padEnd(400, '\n');
    const given = new Map(Array.from({ length: 2_000 }, (_, at) => [pad(`k${at}`), pad(`v${at}`)]));
    const all = await contexts.within('c', LONG_MS, ({ pairs }) => pairs.extend(given));
    expect([...all]).toEqual([...given]);
    const sizes = leader.commands.map((command) => JSON.stringify(command).length);
    expect(sizes.length).toBeGreaterThan(20);
    expect(Math.max(...sizes)).toBeLessThan(132_000);
  });

  it('that exceed a limit are refused before anything is sent', async () => {
    const { leader, contexts } = started();
    const given = new Map([
      ['k', 'v'],
      ['k2', 'x'.repeat(401)],
    ]);
    const message = extensionError('c', PairTable.EMPTY, given);
    const refused = contexts.within('c', LONG_MS, ({ pairs }) => pairs.extend(given));
    await expect(refused).rejects.toMatchObject({ code: 'CONNECT_CONFIG_INVALID', retriable: false, message });
    expect(leader.commands).toEqual([]);
  });

  it.each([
    [{ status: 'conflict', message: 'The cluster is at feature level 3' }, 'CONNECT_UNAVAILABLE', true],
    [{ status: 'expired', message: 'too old' }, 'CONNECT_UNAVAILABLE', true],
    [{ status: 'invalid', message: 'too many' }, 'CONNECT_CONFIG_INVALID', false],
    [{ status: 'not-found', message: 'gone' }, 'CONNECT_NOT_FOUND', false],
  ] as const)('are not extended where the leader answers %j', async (outcome, code, retriable) => {
    const { leader, contexts } = started();
    leader.outcome = outcome;
    const refused = contexts.within('c', LONG_MS, ({ pairs }) => pairs.extend(new Map([['k', 'v']])));
    await expect(refused).rejects.toMatchObject({ code, retriable, message: expect.stringContaining(outcome.message) });
  });

  it('are not asked for before all nodes know the request', async () => {
    const { leader, contexts } = started();
    leader.follower.state = { ...emptyState(), level: 3 };
    const refused = contexts.within('c', LONG_MS, ({ pairs }) => pairs.extend(new Map([['k', 'v']])));
    await expect(refused).rejects.toMatchObject({ retriable: true, message: expect.stringContaining('is at feature level 3 and needs 4') });
    expect(leader.commands).toEqual([]);
  });

  it('cannot be read while the log cannot, and that may pass', async () => {
    const { leader, contexts } = started();
    leader.unreadable = new Error('no broker');
    const refused = contexts.within('c', LONG_MS, ({ pairs }) => pairs.read());
    await expect(refused).rejects.toMatchObject({
      retriable: true,
      message: 'The pairs of connector c cannot be read: no broker',
    });
  });

  it.each([
    ['nobody waits for the tasks any more', 5, () => undefined, 'Not done within 5 ms'],
    [
      'the node stops',
      LONG_MS,
      (contexts: SplitContexts) => {
        contexts.stop();
      },
      'The node stops',
    ],
  ])('are given up when %s', async (_, limitMs, end, why) => {
    const { leader, contexts } = started();
    leader.isSilent = true;
    const waiting = contexts.within('c', limitMs, ({ pairs }) => pairs.extend(new Map([['k', 'v']])));
    end(contexts);
    await expect(waiting).rejects.toMatchObject({ retriable: true, message: expect.stringContaining(why) });
  });

  it('cannot be used after the call that they were made for', async () => {
    const { leader, contexts } = started();
    const { pairs, signal } = await contexts.within('c', LONG_MS, (context: SplitContext) => Promise.resolve(context));
    expect(signal.aborted).toBe(true);
    for (const late of [pairs.read(), pairs.extend(new Map([['k', 'v']]))]) {
      await expect(late).rejects.toMatchObject({ retriable: true, message: expect.stringContaining('has ended') });
    }
    expect(leader.commands).toEqual([]);
  });
});
