import { describe, expect, it } from '@jest/globals';
import { type ConnectRecord, RetriableError, type Transform } from '@sluice/sdk';
import { AskingTransform } from '../testing/asking-transform.js';
import { TransformChain, TransformError } from './transform-chain.js';

const record = (value: string): ConnectRecord => ({ topic: 't', value });
const valueOf = (outcome: unknown): unknown =>
  outcome instanceof TransformError ? outcome.message : (outcome as ConnectRecord | undefined)?.value;

const suffix = (text: string): Transform => ({ apply: (given) => ({ ...given, value: `${given.value as string}${text}` }) });
const dropping = (value: string): Transform => ({ apply: (given) => (given.value === value ? undefined : given) });
const failing = (value: string): Transform => ({
  apply: (given) => {
    if (given.value === value) throw new Error(`cannot take ${value}`);
    return given;
  },
});

const { signal } = new AbortController();

describe('a chain of transforms', () => {
  it('applies them in order', () => {
    const chain = new TransformChain([
      { alias: 'one', transform: suffix('1') },
      { alias: 'two', transform: suffix('2') },
    ]);
    expect(valueOf(chain.apply(record('a')))).toBe('a12');
  });

  it('returns the very record where there is none', () => {
    const given = record('a');
    expect(new TransformChain().apply(given)).toBe(given);
  });

  it('ends at a transform that drops or fails, which the error names', () => {
    const chain = new TransformChain([
      { alias: 'drop', transform: dropping('b') },
      { alias: 'check', transform: failing('c') },
      { alias: 'mark', transform: suffix('!') },
    ]);
    expect(['a', 'b', 'c'].map((value) => valueOf(chain.apply(record(value))))).toEqual([
      'a!',
      undefined,
      'Transform check: cannot take c',
    ]);
  });

  it('asks a predicate whether it is applied', () => {
    const predicate = { test: ({ value }: ConnectRecord): boolean => value === 'a' };
    const only = new TransformChain([{ alias: 'x', transform: suffix('1'), condition: { predicate, isNegated: false } }]);
    const others = new TransformChain([{ alias: 'x', transform: suffix('1'), condition: { predicate, isNegated: true } }]);
    expect(['a', 'b'].map((value) => valueOf(only.apply(record(value))))).toEqual(['a1', 'b']);
    expect(['a', 'b'].map((value) => valueOf(others.apply(record(value))))).toEqual(['a', 'b1']);
  });

  it('fails a record that its predicate cannot judge', () => {
    const predicate = {
      test: (): boolean => {
        throw new Error('no header');
      },
    };
    const chain = new TransformChain([{ alias: 'x', transform: suffix('1'), condition: { predicate, isNegated: false } }]);
    expect(valueOf(chain.apply(record('a')))).toBe('Transform x: no header');
  });

  it.each([
    [null, 'null'],
    ['text', 'string'],
    [Promise.resolve(record('a')), 'object'],
  ])('refuses a transform that returns %p', (result, type) => {
    const transform = { apply: () => result } as unknown as Transform;
    const outcome = new TransformChain([{ alias: 'x', transform }]).apply(record('a'));
    expect(valueOf(outcome)).toBe(`Transform x: it returned ${type}; allowed are a record and undefined`);
  });

  it('prepares each transform with what those before it have made, without dropped, failed and unchosen records', async () => {
    const asking = new AskingTransform();
    const chain = new TransformChain([
      { alias: 'drop', transform: dropping('b') },
      { alias: 'check', transform: failing('c') },
      { alias: 'mark', transform: suffix('!') },
      { alias: 'ask', transform: asking, condition: { predicate: { test: ({ value }) => value === 'd!' }, isNegated: true } },
      { alias: 'end', transform: suffix('.') },
    ]);
    expect(chain.prepares).toBe(true);
    const outcomes = await chain.begin(['a', 'b', 'c', 'd', 'e'].map(record)).finish(signal);
    expect(outcomes.map(valueOf)).toEqual(['<a!>.', undefined, 'Transform check: cannot take c', 'd!.', '<e!>.']);
    expect(asking.asked).toEqual([['a!', 'e!']]);
  });

  it('prepares nothing where no record is left', async () => {
    const asking = new AskingTransform();
    const chain = new TransformChain([
      { alias: 'drop', transform: dropping('b') },
      { alias: 'ask', transform: asking },
    ]);
    expect(await chain.begin([record('b')]).finish(signal)).toEqual([undefined]);
    expect(asking.asked).toEqual([]);
  });

  it('rejects with what a preparation throws: it concerns no record alone', async () => {
    const transform = {
      prepare: () => Promise.reject(new RetriableError('the registry is unavailable')),
      apply: (given: ConnectRecord) => given,
    };
    await expect(new TransformChain([{ alias: 'x', transform }]).begin([record('a')]).finish(signal)).rejects.toThrow(
      'the registry is unavailable',
    );
  });

  it('continues at the preparation that threw, with the same array: no transform sees a record twice', async () => {
    const seen = new Set<unknown>();
    const distinct: Transform = {
      apply: (given) => {
        if (seen.has(given.value)) return undefined;
        seen.add(given.value);
        return { ...given };
      },
    };
    const asked: (readonly ConnectRecord[])[] = [];
    const asking: Transform = {
      prepare: (records) => {
        asked.push(records);
        return asked.length < 3 ? Promise.reject(new RetriableError('busy')) : Promise.resolve();
      },
      apply: (given) => given,
    };
    const walk = new TransformChain([
      { alias: 'distinct', transform: distinct },
      { alias: 'ask', transform: asking },
      { alias: 'end', transform: suffix('.') },
    ]).begin(['a', 'b', 'a'].map(record));
    await expect(walk.finish(signal)).rejects.toThrow('busy');
    await expect(walk.finish(signal)).rejects.toThrow('busy');
    expect((await walk.finish(signal)).map(valueOf)).toEqual(['a.', 'b.', undefined]);
    expect(asked.map((records) => records === asked[0])).toEqual([true, true, true]);
  });

  it('closes every transform, also after one that cannot', async () => {
    const closed: string[] = [];
    const closing = (name: string, problem?: Error): Transform => ({
      apply: (given) => given,
      close: async () => {
        await Promise.resolve();
        closed.push(name);
        if (problem !== undefined) throw problem;
      },
    });
    const chain = new TransformChain([
      { alias: 'a', transform: closing('a', new Error('a is stuck')) },
      { alias: 'b', transform: closing('b') },
      { alias: 'c', transform: suffix('1') },
    ]);
    await expect(chain.close()).rejects.toThrow('a is stuck');
    expect(closed).toEqual(['a', 'b']);
  });
});
